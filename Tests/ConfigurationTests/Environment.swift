// An environment that is just enough, to be changed by each test.

import Configuration

let required = [
  "AGORA_APP_ID": "970ca35de60c44645bbae8a215061b33",
  "AGORA_APP_CERTIFICATE": "5cfd2fd1755d40ecb72977518be15d3b",
  "JWT_SECRET": "a secret of thirty-two bytes, at least",
  "MYSQL_DATABASE": "chattrix",
]

/// nil takes a variable out.
func configuration(_ changes: [String: String?] = [:]) throws(ConfigurationError) -> Configuration {
  try Configuration(environment: environment(changes))
}

/// The faults that a change makes; empty where there is none.
func faults(_ changes: [String: String?]) -> [String] {
  do throws(ConfigurationError) {
    _ = try configuration(changes)
    return []
  } catch { return error.lines }
}

private func environment(_ changes: [String: String?]) -> [String: String] {
  changes.reduce(into: required) { $0[$1.key] = $1.value }
}
