// What a program says that cannot start (R14.5, contract §7.12).

import Configuration
import Glibc
import System
import Testing

@Suite struct FaultTests {
  @Test("R14.5 everything that is missing is named at once, one a line")
  func missing() {
    let nothing = Dictionary(uniqueKeysWithValues: required.keys.map { ($0, String?.none) })
    #expect(
      faults(nothing).map { $0.prefix { $0 != ":" } } == [
        "AGORA_APP_ID", "AGORA_APP_CERTIFICATE", "MYSQL_DATABASE", "JWT_SECRET",
      ])
    #expect(faults(nothing).allSatisfy { $0.contains("is required") && !$0.contains("\n") })
    for name in required.keys {
      #expect(faults([name: nil]).map { $0.hasPrefix("\(name): ") } == [true])
    }
    #expect(ConfigurationError.exitStatus == 78)
  }

  private static let malformed: [(String, [String])] = [
    (
      "AGORA_APP_ID",
      ["abc", String(repeating: "g", count: 32), "970ca35de60c44645bbae8a215061b3 "]
    ),
    ("AGORA_APP_CERTIFICATE", ["s3cret", String(repeating: "0", count: 33)]),
    ("AGORA_TOKEN_EXPIRATION_SECONDS", ["59", "86401", "-60", "1h", "3600.0", " 3600", "٦٠٠"]),
    ("AGORA_WEBHOOK_SECRET", [",", "s3cret\n", "other,s3cret\t"]),
    ("AGORA_ABSENCE_SECONDS", ["0", "3601", "-1", "20s"]),
    ("CALL_TIMEOUT_SECONDS", ["0", "86401", "99999999999999999999"]),
    ("MAX_CALL_DURATION_SECONDS", ["-1", "x"]),
    ("RATE_LIMIT_TOKEN_GENERATE", ["-1", "ten"]), ("RATE_LIMIT_TOKEN_REFRESH", ["1.5"]),
    ("RATE_LIMIT_CALL_INITIATE", ["+5"]), ("RATE_LIMIT_CALL_HISTORY", ["0x10"]),
    ("RATE_LIMIT_QUALITY", ["60s"]), ("RATE_LIMIT_TICKET", ["-30"]), ("RATE_LIMIT_OTHER", [" 300"]),
    ("MYSQL_PORT", ["0", "65536", "mysql"]),
    ("MYSQL_SOCKET", ["relative.sock", "/" + String(repeating: "x", count: 107)]),
    (
      "REDIS_URL",
      ["s3cret", "rediss://:s3cret@h", "redis://:s3cret@h:port", "redis://:s3cret@h/x"]
    ),
    (
      "JWT_SECRET",
      [
        "s3cret", String(repeating: "s", count: 31), ",", String(repeating: "s", count: 40) + "\n",
      ]
    ),
    (
      "MYSQL_HOST",
      [
        "db:0", "db:x", "db:65536", "db:", ":3306", "tcp://db", "a,,b", "a,", "a b", " db", "db ",
        "[::1",
        "[::1]3306", "[db]:1", "a,b,c,d,e,f,g,h,i",
      ]
    ),
    ("MYSQL_DATABASE", ["chattrix ", "\tchattrix"]), ("MYSQL_USER", ["me "]),
    ("JWT_ISSUER", ["https://id.example\n"]), ("JWT_AUDIENCE", [" calls"]),
    ("QUALITY_RETENTION_DAYS", ["-1", "36501"]),
    ("JWT_PUBLIC_KEY_FILE", ["/nonexistent/key.pem"]), ("JWT_JWKS_FILE", ["/dev/null"]),
    ("JWT_ALGORITHMS", ["none", "HS256,none", "hs256", "RS256"]),
    ("WORKERS", ["0", "513", "auto"]), ("FASTCGI_SOCKET", ["unix:relative", "localhost"]),
    ("SIGNALING_ADDRESS", ["9502", "localhost:0", "localhost:65536", "::1:9502", "unix:x"]),
    ("SIGNALING_MESSAGES_PER_SECOND", ["-1"]), ("SIGNALING_CHAT_EXPIRES", ["yes", "2", "01"]),
    (
      "ALLOWED_ORIGINS",
      [
        "*", "app.example.com", "https://a.example/", "https://", "https://a,b", "null",
        "https://a.example/path", "https://user@a.example", "https://a.example:0",
        "https://bücher.example", "https://a.example https://b.example", "https://*.example.com",
      ]
    ),
    ("TOKEN_CHANNELS", ["all", "calls,any"]), ("LOG_LEVEL", ["verbose", "trace"]),
  ]

  @Test("R14.5 what is malformed is named, and nothing of its value")
  func values() {
    for (name, values) in Self.malformed {
      for value in values {
        let lines = faults([name: value])
        #expect(lines.count == 1, "\(name)=\(value)")
        #expect(lines.first?.hasPrefix("\(name): ") == true)
        #expect(lines.first?.contains("s3cret") == false)
        #expect(lines.first?.contains("\n") == false)
      }
    }
  }

  @Test("R14.5 settings that are well-formed and cannot work together")
  func pairs() {
    #expect(
      faults(["FASTCGI_SOCKET": "unix:/run/a.sock", "SIGNALING_ADDRESS": "unix:/run/a.sock"])
        == ["SIGNALING_ADDRESS: is FASTCGI_SOCKET's address as well"])
    #expect(
      faults(["QUALITY_RETENTION_DAYS": "1", "MAX_CALL_DURATION_SECONDS": "86401"]).count == 1)
    #expect(
      faults(["QUALITY_RETENTION_DAYS": "1", "MAX_CALL_DURATION_SECONDS": "86400"]) == [])
    #expect(
      faults(["QUALITY_RETENTION_DAYS": "0", "MAX_CALL_DURATION_SECONDS": "31536000"]) == [])
  }

  @Test("R14.5 all faults at once, whatever they are")
  func allAtOnce() {
    // One value each; JWT_ALGORITHMS is only looked at where there is a key.
    let all = Self.malformed.filter { $0.0 != "JWT_ALGORITHMS" }
    let lines = faults(Dictionary(uniqueKeysWithValues: all.map { ($0.0, $0.1.first) }))
    #expect(Set(lines.map { String($0.prefix { $0 != ":" }) }) == Set(all.map(\.0)))
    #expect(lines.count == all.count)
  }

  @Test("R14.5 no secret's value is in any fault, also where others are at fault")
  func secrets() {
    let secrets = [
      "AGORA_APP_CERTIFICATE": "0123456789abcdef-certificate", "JWT_SECRET": "short-jwt-secret",
      "MYSQL_PASSWORD": "mysql-pass-word", "REDIS_URL": "redis://user:redis-pass-word@host:bad",
      "MYSQL_PORT": "x",
    ]
    let lines = faults(secrets.mapValues { Optional($0) })
    #expect(lines.count == 4)
    for line in lines {
      for secret in ["0123456789abcdef", "short-jwt", "mysql-pass", "redis-pass", "user:"] {
        #expect(!line.contains(secret), "\(line)")
      }
    }
  }

  @Test("§7.12 a secret and public keys may stand side by side; the allow-list must fit the keys")
  func keys() throws {
    let path = "/tmp/chattrix-key-" + Randomness.system.hexadecimal(bytes: 8)
    let file = Descriptor(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600))
    defer { unlink(path) }
    writeOut(
      """
      -----BEGIN PUBLIC KEY-----
      MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE14Jd9M/SkmxOUgDifL0KwWwOTqHY
      OahilU5w2emC8SwCt5x8S2OwaBaZlPrhCYEoiBZFAUbTUCEiui2/QWlyXg==
      -----END PUBLIC KEY-----

      """, to: file.raw)
    #expect(faults(["JWT_PUBLIC_KEY_FILE": path]) == [])
    #expect(faults(["JWT_PUBLIC_KEY_FILE": path, "JWT_SECRET": nil]) == [])
    #expect(
      try configuration(["JWT_PUBLIC_KEY_FILE": path, "JWT_SECRET": nil]).jwtSecret == nil)
    #expect(faults(["JWT_PUBLIC_KEY_FILE": path, "JWT_ALGORITHMS": "ES256,HS256"]) == [])
    #expect(
      faults(["JWT_PUBLIC_KEY_FILE": path, "JWT_SECRET": nil, "JWT_ALGORITHMS": "HS256"]).count
        == 1)
    #expect(faults(["JWT_JWKS_FILE": path]).first?.hasPrefix("JWT_JWKS_FILE: ") == true)
  }
}
