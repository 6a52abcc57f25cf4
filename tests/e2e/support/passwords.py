"""A password as crypt(3) keeps it, in several forms, and as a request shows it."""

import base64

# Of "open sesame".
BCRYPT = "$2y$04$abcdefghijklmnopqrstuu/LVz6MZlItEy42I2juLihZ66HnQx/cy"
SLOW = "$2b$12$abcdefghijklmnopqrstuuq2uHH4t8IjTa8PV9VUUF1vssBH6WaR2"  # some 250 ms
SLOWEST = "$2b$14$abcdefghijklmnopqrstuuZZVux0kxY8OIwJAC7j70pUMvFzeHtu."  # more than a second
SHA256 = "$5$saltsalt$yrhPKxCqiWcCE9h0g86j6Ugz7SDFdFm.BjU.d8RaQnC"
SHA512 = ("$6$rounds=1000$saltsalt$/IiX/CoEcxCZ9SksEXnbjfCT1LGvD4z5OpJkaFYl/T37OAwuKZ8I8BixDhruhPLkw6lS7dw"
          "/6wQWgQnGo7lLg/")
PASSWORD = "open sesame"


def credentials(user, password, scheme="Basic"):
    pair = user.encode() + b":" + password.encode()
    return f"Authorization: {scheme} {base64.b64encode(pair).decode()}\r\n"
