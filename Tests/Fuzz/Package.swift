// swift-tools-version: 6.2
// Fuzzing (`make fuzz`): one libFuzzer program a format, over the product's own sources, in a package
// of its own, since every module has to be compiled with the fuzzer's coverage.

import PackageDescription

let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .treatAllWarnings(as: .error),
]

func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(
    name: name, dependencies: dependencies, path: "Sources/\(name)", swiftSettings: strict)
}

func library(_ name: String, _ pkgConfig: String? = nil) -> Target {
  .systemLibrary(name: name, path: "Sources/\(name)", pkgConfig: pkgConfig)
}

/// `Targets/Name`, with libFuzzer's `main`.
func fuzzer(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .executableTarget(
    name: "fuzz-\(name)", dependencies: ["Fuzzing"] + dependencies, path: "Targets/\(name)",
    swiftSettings: strict + [.unsafeFlags(["-parse-as-library"])])
}

let package = Package(
  name: "chattrix-calls-fuzz",
  targets: [
    fuzzer("http-head", ["HTTP", "WebSocket"]),
    fuzzer("http-response", ["HTTP"]),
    fuzzer("http-url", ["HTTP", "System"]),
    fuzzer("websocket", ["WebSocket"]),
    fuzzer("resp", ["Redis"]),
    fuzzer("json", ["JSON"]),
    fuzzer("jwt", ["JWT", "JSON", "Crypto"]),
    fuzzer("jwt-keys", ["JWT"]),
    fuzzer("agora-token", ["AgoraToken", "Crypto", "CZlib"]),
    fuzzer("agora-notice", ["AgoraNotice", "Crypto", "JSON"]),
    fuzzer("fastcgi-parameters", ["FastCGI", "HTTP"]),
    fuzzer("query", ["HTTP"]),
    fuzzer("exposition", ["Exposition"]),
    fuzzer("addresses", ["Redis", "System"]),
    fuzzer("timestamp", ["System"]),

    .target(name: "Fuzzing", path: "Fuzzing", swiftSettings: strict),

    // The product's modules that read what comes from outside, and what those are made of.
    module("AgoraNotice", ["Crypto", "JSON"]),
    module("AgoraToken", ["Crypto", "CZlib"]),
    module("JWT", ["Crypto", "JSON"]),
    module("FastCGI", ["HTTP", "System", "CFastCGI", "CLinux"]),
    module("WebSocket", ["Crypto", "HTTP"]),
    module("Redis", ["HTTP", "System"]),
    module("Exposition", ["System"]),
    module("HTTP", ["System"]),
    module("Crypto", ["COpenSSL"]),
    module("System", ["JSON", "CLinux"]),
    module("JSON"),
    library("CFastCGI", "fcgi"),
    library("COpenSSL", "libcrypto"),
    library("CZlib", "zlib"),
    library("CLinux"),
  ]
)
