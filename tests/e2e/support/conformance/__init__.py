"""What RFC 6455 and RFC 7692 demand of a WebSocket peer, case by case, and how a gateway is asked
for it: with a blind peer behind it, it must look like a strict one. The numbers of groups and their
subjects are those of the Autobahn test suite, as far as it has them.
"""
