"""What the end-to-end tests share: programs, raw peers, certificates, frames."""
