// The certificate of everybody who is simulated, and of its own authority; for localhost.
// It is a fixed one, since a signature's length is a matter of chance, and so would be the runs.
#pragma once

namespace simulation {

constexpr const char* kCertificate = R"(-----BEGIN CERTIFICATE-----
MIIBajCCAQ+gAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlzaW11bGF0
ZWQwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBQxEjAQBgNVBAMM
CXNpbXVsYXRlZDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABEbcObIh/y5Y4exD
suHoPFherFgXDXvoWf1h7J0ppoZjD8VmI39iX16PGRF87ZUTrD6mwPdRdHqCqRYb
d5af8RajUDBOMA8GA1UdEwEB/wQFMAMBAf8wHAYDVR0RBBUwE4IJbG9jYWxob3N0
ggYqLnRlc3QwHQYDVR0OBBYEFLcoNdqGXU6bJuF8zuFmOhgMALY/MAoGCCqGSM49
BAMCA0kAMEYCIQC2462xa5KDIi/eUbjR/QZdImKv4kzSwTH/BiOUY/WxEAIhAL00
BXrTmiPbDwIT05Zsnj4i9qdXD1AGhOMuRuTH0EOz
-----END CERTIFICATE-----
)";

constexpr const char* kKey = R"(-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgd2f/lqPbp8vRTWtH
stREw7QHOTr+SWfOcES6ZEBmjbWhRANCAARG3DmyIf8uWOHsQ7Lh6DxYXqxYFw17
6Fn9YeydKaaGYw/FZiN/Yl9ejxkRfO2VE6w+psD3UXR6gqkWG3eWn/EW
-----END PRIVATE KEY-----
)";

}  // namespace simulation
