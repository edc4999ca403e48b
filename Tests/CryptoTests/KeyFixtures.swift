// Public keys made once with the openssl command; their private halves were thrown away.

enum KeyFixtures {
  static let rsa2048 = """
    -----BEGIN PUBLIC KEY-----
    MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAoHNkA9h63y4q7TVd1Xo6
    H6k1cWyiq/CI08iEbWHrHPdXS6hfPXhWYOxtvJgS4ejsrJxT914cgTbYel5umWrr
    sYZRd/gcy5NjOZeEaCJGpR2AGSBzgabrA8QuSIOtd1ftWoXKXQ3zgoMvScr6oDii
    R/9vnsoi1zLZZ9SBZAq82DcxFsqY1sNhGBFPVqVm3aL0R9mrCGzeEM6RxwZqFvga
    +Gr7a5OdEmIcFtT7aIohcw8RVgd+Yr87V5sTk042jg8ptndoiLFuWdc46uwhin/h
    N/pfOFGhcBi/5ODfqfaDFMjKLNUXZO0NY35hHfIkB9neW7k7YUn3z+vyvRpoV6fB
    NQIDAQAB
    -----END PUBLIC KEY-----
    """

  static let rsa1024 = """
    -----BEGIN PUBLIC KEY-----
    MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC5Ur0If3mYvIKyiReQs3EGnJM+
    CoD62qVN7g+gQQwYVsjJRqftlnGUr9GBBo1IvMxjS0pESM8LG6WMrxkWaOnpZN6Q
    iqqq31lDafVw+9YYelO9XDQ1VjpMVgtPq5r7Lt+Xm1IB/1FR3uUTgx56zaLcoWS2
    /ezvWMXW3k1PI7PdZwIDAQAB
    -----END PUBLIC KEY-----
    """

  static let p256 = """
    -----BEGIN PUBLIC KEY-----
    MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE14Jd9M/SkmxOUgDifL0KwWwOTqHY
    OahilU5w2emC8SwCt5x8S2OwaBaZlPrhCYEoiBZFAUbTUCEiui2/QWlyXg==
    -----END PUBLIC KEY-----
    """

  static let p384 = """
    -----BEGIN PUBLIC KEY-----
    MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEyEDKomA21dWT1/NT0RWCEbFnTwGf2bqF
    UtgMBzG/peGbsSygGNkHXNjlj3MSJrn78bkNAcBvxizgY0dESyoshiOdBf9Rt75D
    dsRm/Trp7Q6VuEbKfEqy8OA3ZVyfuwwz
    -----END PUBLIC KEY-----
    """

  static let secp256k1 = """
    -----BEGIN PUBLIC KEY-----
    MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAE632QAmlB8HTsPkTw4dwFL+UC+alsoyK1
    IoHCrHOxEfN13qz5pu8PrxaftgsZwe1pa/csQ1/QEPtdhpbt8E02OQ==
    -----END PUBLIC KEY-----
    """

  static let ed25519 = """
    -----BEGIN PUBLIC KEY-----
    MCowBQYDK2VwAyEAywv6soSuCKTHCvPFagG6tJvlnEKWedPsxCmn+gU1Tkk=
    -----END PUBLIC KEY-----
    """

  static let rsaPSS = """
    -----BEGIN PUBLIC KEY-----
    MIIBIDALBgkqhkiG9w0BAQoDggEPADCCAQoCggEBAK4KaNkdCc5SC3MjC1V1wVxn
    NAldolvJJz2puHtOpzDP/nCGmyU1G0t8CrL3plN/EtqAkOtu66kTbOfU/JUR6S3u
    t1nBeOgazwBRiBqHOujRKn7E5Zq8x0BesywI+IOajOGJUoh9ac5kPjAnWMhNBXJU
    M5TcZz6w/+REGKQ05fFpo5i/lQ/fA2VPFXy7QkMArFJZzLCGfe8DqZsGpo4T2Bvl
    ApUT5BSobGmUxHZwB7aK6lqBz29KPNVqLV3WbtpUSHtVT1B6+DuSlmNslYNNxJfa
    mDPmGbzWiadaiWiqquNXym8LzTdxBg/B4VDmP1hdRrEO3LEXQyQb4rIujuRBW3sC
    AwEAAQ==
    -----END PUBLIC KEY-----
    """
}
