// Writing users and contacts, for installations that have no tables of their own for them.

import Calls
import MySQL

package struct Person: Sendable {
  package let id: String
  package let username: String
  package let fullName: String?
  package let avatar: String?

  package init(id: String, username: String, fullName: String?, avatar: String?) {
    (self.id, self.username) = (id, username)
    (self.fullName, self.avatar) = (fullName, avatar)
  }
}

package enum ContactStatus: String, Sendable, CaseIterable {
  case accepted, pending, rejected, blocked

  var column: String { rawValue.uppercased() }
}

package struct Contact: Sendable {
  package let userId: String
  package let contactId: String
  package let status: String
}

package struct People {
  private let database: Database

  package init(_ database: Database) { self.database = database }

  /// Adds a user, or changes the one of this id.
  package func add(_ person: Person) throws {
    try database.read {
      try $0.execute(
        """
        INSERT INTO users (id, username, full_name, avatar_url) VALUES (?, ?, ?, ?)
        ON DUPLICATE KEY UPDATE username = VALUES(username), full_name = VALUES(full_name),
          avatar_url = VALUES(avatar_url)
        """,
        [.text(person.id), .text(person.username), .text(person.fullName), .text(person.avatar)])
    }
  }

  package func list(limit: Int) throws -> [Person] {
    try database.read {
      try $0.query(
        "SELECT id, username, full_name, avatar_url FROM users ORDER BY id LIMIT ?",
        [.int(limit)])
    }.map {
      Person(
        id: $0.text(0), username: $0.text(1), fullName: $0.optionalText(2),
        avatar: $0.optionalText(3))
    }
  }

  /// Sets how one user stands to another: one direction.
  package func setContact(of userId: String, to contactId: String, _ status: ContactStatus) throws {
    try database.read {
      try $0.execute(
        """
        INSERT INTO contacts (user_id, contact_user_id, status) VALUES (?, ?, ?)
        ON DUPLICATE KEY UPDATE status = VALUES(status)
        """, [.text(userId), .text(contactId), .text(status.column)])
    }
  }

  package func contacts(of userId: String, limit: Int) throws -> [Contact] {
    try database.read {
      try $0.query(
        """
        SELECT user_id, contact_user_id, status FROM contacts WHERE user_id = ?
        ORDER BY contact_user_id LIMIT ?
        """, [.text(userId), .int(limit)])
    }.map { Contact(userId: $0.text(0), contactId: $0.text(1), status: $0.text(2)) }
  }
}
