// Child processes by posix_spawn(3): fork() after threads have run can hang the child (design §1).

import CLinux
import Glibc

package enum ProcessExit: Equatable, Sendable, CustomStringConvertible {
  case exited(code: Int32)
  case signaled(Int32)

  init(status: Int32) {
    self =
      chattrix_signaled(status) != 0
      ? .signaled(chattrix_signal(status)) : .exited(code: chattrix_exit_code(status))
  }

  package var description: String {
    switch self {
    case .exited(let code): "exit status \(code)"
    case .signaled(let signal): "signal \(signal)"
    }
  }
}

/// Starts a program with an empty signal mask and default handlers.
/// - Parameters:
///   - standardInput: Becomes descriptor 0: the listening socket, by FastCGI's convention.
///   - inherited: Descriptors to pass on, each under the number given with it (3 or more). All
///     others of this process must be close-on-exec.
///   - environment: `NAME=value` strings, whole: nothing else is inherited.
/// - Returns: The child's process id.
/// - Throws: `SystemError` where the program cannot be started.
package func spawn(
  program: String, arguments: [String] = [], environment: [String],
  standardInput: Int32, inherited: [(descriptor: Int32, number: Int32)] = []
) throws(SystemError) -> pid_t {
  var attributes = posix_spawnattr_t()
  var actions = posix_spawn_file_actions_t()
  posix_spawnattr_init(&attributes)
  posix_spawn_file_actions_init(&actions)
  defer {
    posix_spawnattr_destroy(&attributes)
    posix_spawn_file_actions_destroy(&actions)
  }
  var none = sigset_t()
  var all = sigset_t()
  sigemptyset(&none)
  sigfillset(&all)
  posix_spawnattr_setsigmask(&attributes, &none)
  posix_spawnattr_setsigdefault(&attributes, &all)
  posix_spawnattr_setflags(
    &attributes, Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETSIGDEF))
  posix_spawn_file_actions_adddup2(&actions, standardInput, STDIN_FILENO)
  for (descriptor, number) in inherited {
    posix_spawn_file_actions_adddup2(&actions, descriptor, number)
  }
  var child = pid_t()
  let code = withCStrings([program] + arguments) { argv in
    withCStrings(environment) { envp in
      posix_spawn(&child, program, &actions, &attributes, argv, envp)
    }
  }
  guard code == 0 else { throw SystemError(errno: code, call: "spawn \(program)") }
  return child
}

/// A child that has ended since the last call, or nil: for a loop after SIGCHLD.
package func reapChild() -> (child: pid_t, exit: ProcessExit)? {
  var status: Int32 = 0
  let child = waitpid(-1, &status, WNOHANG)
  return child > 0 ? (child, ProcessExit(status: status)) : nil
}

private func withCStrings<Result>(
  _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
) -> Result {
  let pointers = strings.map { strdup($0) }
  defer { for pointer in pointers { free(pointer) } }
  return body(pointers + [nil])
}
