// swift-tools-version: 6.2
// Chattrix Calls: a folder in Sources is a module, and imports go downwards only (CONTRIBUTING.md
// has the picture). No Swift packages: C libraries come from the system's own development packages.

import PackageDescription

let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .treatAllWarnings(as: .error),
]

/// What a program is made of does without regular expressions and `contains` of a text in a text: the
/// standard library's module for them, which is imported unasked, is 1.1 MB of a program.
let lean =
  strict + [
    .unsafeFlags(["-Xfrontend", "-disable-implicit-string-processing-module-import"])
  ]

/// A program of the product: `main.swift` wires modules together and does nothing else.
/// Its symbols stay in the dynamic table, so that the backtrace of a 500 has names (R12.4).
func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .executableTarget(
    name: name,
    dependencies: dependencies,
    swiftSettings: lean,
    linkerSettings: [.unsafeFlags(["-Xlinker", "--export-dynamic"])]
  )
}

func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: lean)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = [])
  -> Target
{
  .testTarget(
    name: name, dependencies: dependencies, resources: resources, swiftSettings: strict)
}

let package = Package(
  name: "chattrix-calls",
  products: [
    .executable(name: "chattrix-supervisor", targets: ["chattrix-supervisor"]),
    .executable(name: "chattrix-worker", targets: ["chattrix-worker"]),
    .executable(name: "chattrix-signaling", targets: ["chattrix-signaling"]),
    .executable(name: "chattrix-webhooks", targets: ["chattrix-webhooks"]),
    .executable(name: "chattrix-ctl", targets: ["chattrix-ctl"]),
  ],
  targets: [
    // Programs.
    program(
      "chattrix-supervisor",
      ["Supervision", "Storage", "Configuration", "Redis", "JSON", "System"]),
    program(
      "chattrix-worker",
      ["API", "Storage", "Configuration", "FastCGI", "HTTP", "Redis", "System"]),
    program(
      "chattrix-signaling",
      [
        "Signaling", "API", "Storage", "Calls", "Configuration", "HTTP", "MySQL", "Redis", "JSON",
        "Exposition", "System",
      ]),
    program(
      "chattrix-webhooks",
      [
        "Delivery", "Storage", "Calls", "Configuration", "HTTPClient", "HTTP", "Redis", "System",
      ]),
    program(
      "chattrix-ctl",
      [
        "Storage", "Calls", "Configuration", "JWT", "HTTPClient", "HTTP", "Redis", "CSV", "JSON",
        "MySQL", "System",
      ]),

    // What the programs are made of.
    module("Supervision", ["JSON", "System", "CLinux"]),
    module(
      "API",
      [
        "Storage", "Calls", "Configuration", "AgoraNotice", "AgoraToken", "JWT", "HTTP", "Redis",
        "MySQL", "JSON", "Crypto", "Exposition", "System",
      ]),
    module(
      "Signaling",
      [
        "Storage", "Calls", "HTTP", "WebSocket", "Redis", "JSON", "Exposition", "System", "CLinux",
      ]),
    module(
      "Delivery",
      ["Storage", "Calls", "HTTPClient", "HTTP", "Crypto", "JSON", "System", "CLinux"]),
    module("Storage", ["Calls", "MySQL", "Redis", "JSON", "Crypto", "Exposition", "System"]),
    module(
      "Configuration", ["Calls", "JWT", "HTTP", "Redis", "MySQL", "JSON", "Crypto", "System"]),
    module("Calls", ["Crypto", "CSV", "JSON", "System"]),

    // One format or protocol each, knowing nothing of calls.
    module("AgoraNotice", ["Crypto", "JSON"]),
    module("AgoraToken", ["Crypto", "CZlib"]),
    module("JWT", ["Crypto", "JSON"]),
    module("HTTP", ["System"]),
    module("HTTPClient", ["HTTP", "System", "CLibSSL", "CLinux"]),
    module("FastCGI", ["HTTP", "System", "CFastCGI", "CLinux"]),
    module("WebSocket", ["Crypto", "HTTP"]),
    module("Redis", ["HTTP", "System"]),
    module("MySQL", ["System", "CMySQL"]),
    module("Exposition", ["System"]),
    module("JSON"),
    module("CSV"),
    module("Crypto", ["COpenSSL"]),
    module("System", ["JSON", "CLinux"]),

    // The system's C libraries.
    .systemLibrary(
      name: "CMySQL", pkgConfig: "mysqlclient",
      providers: [.apt(["default-libmysqlclient-dev"])]),
    .systemLibrary(name: "CFastCGI", pkgConfig: "fcgi", providers: [.apt(["libfcgi-dev"])]),
    .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CLibSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CLinux"),

    // The far side of Autobahn's test suite (`make conformance`).
    .executableTarget(
      name: "echo-server", dependencies: ["Signaling", "WebSocket", "HTTP", "System"],
      path: "Tests/Conformance/EchoServer", swiftSettings: strict),

    // What `make bench` sends to the sidecar and its peers.
    .executableTarget(
      name: "load", dependencies: ["JWT", "JSON", "System", "CLinux"], path: "Tests/Bench/Load",
      swiftSettings: strict),

    // A MariaDB's databases and a Redis for the tests below.
    .testTarget(
      name: "TestServers", dependencies: ["Storage", "MySQL", "Redis", "System"],
      path: "Tests/TestServers", swiftSettings: strict),

    // Unit and storage tests; the end-to-end suite is Tests/EndToEnd (pytest).
    tests("JSONTests", ["JSON"]),
    tests("CSVTests", ["CSV"]),
    tests("ExpositionTests", ["Exposition", "System"]),
    tests("CryptoTests", ["Crypto"]),
    tests(
      "AgoraTokenTests", ["AgoraToken", "Crypto", "JSON"], resources: [.copy("agora-007.json")]),
    tests("AgoraNoticeTests", ["AgoraNotice", "Crypto", "JSON"]),
    tests("JWTTests", ["JWT", "JSON", "Crypto", "COpenSSL"]),
    tests("HTTPTests", ["HTTP", "System"]),
    tests(
      "HTTPClientTests", ["HTTPClient", "HTTP", "System"], resources: [.copy("server.py")]),
    tests("WebSocketTests", ["WebSocket", "HTTP"]),
    tests("RedisTests", ["Redis", "System", "TestServers"]),
    tests("SystemTests", ["System", "JSON", "CLinux", "TestServers"]),
    tests("MySQLTests", ["MySQL", "System", "TestServers"]),
    tests("CallsTests", ["Calls", "CSV", "JSON", "System"]),
    tests("ConfigurationTests", ["Configuration", "JWT", "JSON", "MySQL", "Redis", "System"]),
    tests("StorageTests", ["Storage", "Calls", "MySQL", "JSON", "System", "TestServers"]),
    tests(
      "DeliveryTests",
      [
        "Delivery", "Storage", "Calls", "HTTPClient", "HTTP", "Crypto", "JSON", "System",
      ]),
    tests(
      "SignalingTests",
      [
        "Signaling", "Storage", "Calls", "WebSocket", "HTTP", "JSON", "Redis", "System",
        "TestServers",
      ]),
    tests("FastCGITests", ["FastCGI", "HTTP", "System", "CLinux"]),
    tests("SupervisionTests", ["Supervision", "JSON", "System", "TestServers"]),
    tests(
      "APITests",
      [
        "API", "AgoraToken", "Calls", "Configuration", "Crypto", "HTTP", "JSON", "JWT", "MySQL",
        "Redis", "Storage", "System", "TestServers",
      ]),
  ]
)
