// user add, user list, contact add, contact block, contact list.

import Calls
import Storage

enum PeopleCommands {
  static let all = [
    Command(
      name: "user add",
      synopsis: "user add ID [--username NAME] [--full-name NAME] [--avatar URL]",
      summary: "add or change a user", valued: ["username", "full-name", "avatar"], run: addUser),
    Command(
      name: "user list", synopsis: "user list [--limit N]",
      summary: "users in the order of their ids",
      valued: ["limit"], run: listUsers),
    Command(
      name: "contact add", synopsis: "contact add USER CONTACT",
      summary: "make two users accepted contacts of each other", run: addContact),
    Command(
      name: "contact block", synopsis: "contact block USER CONTACT",
      summary: "let USER block CONTACT", run: blockContact),
    Command(
      name: "contact list", synopsis: "contact list USER [--limit N]",
      summary: "a user's contacts", valued: ["limit"], run: listContacts),
  ]

  private static func addUser(_ arguments: Arguments, _ session: Session) throws {
    let id = try arguments.exactly("ID")[0]
    guard UserID.isValid(id) else { throw UsageError("ID must have 1 to 64 characters") }
    try session.people.add(
      Person(
        id: id, username: arguments["username"] ?? id, fullName: arguments["full-name"],
        avatar: arguments["avatar"]))
    session.output.done("User \(id) is there.")
  }

  private static func listUsers(_ arguments: Arguments, _ session: Session) throws {
    _ = try arguments.exactly()
    let limit = try arguments.number("limit", in: 1...100_000, standard: 100)
    session.output.table(
      ["id", "username", "fullName", "avatar"],
      try session.people.list(limit: limit).map { [$0.id, $0.username, $0.fullName, $0.avatar] })
  }

  private static func pair(_ arguments: Arguments) throws -> (user: String, contact: String) {
    let ids = try arguments.exactly("USER", "CONTACT")
    guard ids.allSatisfy(UserID.isValid), ids[0] != ids[1] else {
      throw UsageError("USER and CONTACT must be two different user ids")
    }
    return (ids[0], ids[1])
  }

  private static func addContact(_ arguments: Arguments, _ session: Session) throws {
    let (user, contact) = try pair(arguments)
    try session.people.setContact(of: user, to: contact, .accepted)
    try session.people.setContact(of: contact, to: user, .accepted)
    session.output.done("\(user) and \(contact) are contacts.")
  }

  private static func blockContact(_ arguments: Arguments, _ session: Session) throws {
    let (user, contact) = try pair(arguments)
    try session.people.setContact(of: user, to: contact, .blocked)
    session.output.done("\(user) has blocked \(contact).")
  }

  private static func listContacts(_ arguments: Arguments, _ session: Session) throws {
    let user = try arguments.exactly("USER")[0]
    let limit = try arguments.number("limit", in: 1...100_000, standard: 100)
    session.output.table(
      ["user", "contact", "status"],
      try session.people.contacts(of: user, limit: limit).map {
        [$0.userId, $0.contactId, $0.status]
      })
  }
}
