// libmysqlclient or MariaDB Connector/C, whichever the system's development package brings.
// `my_bool` is `char` in MariaDB's header and was replaced by `bool` in MySQL 8: no type of either
// name leaves this file.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <mysql.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#if defined(MARIADB_BASE_VERSION) || defined(MARIADB_PACKAGE_VERSION) || MYSQL_VERSION_ID < 80000
typedef my_bool chattrix_bool;
#else
typedef bool chattrix_bool;
#endif

// What the library reports of one fetched column: whether it is NULL, its length in bytes.
typedef struct {
  unsigned long length;
  chattrix_bool is_null;
  chattrix_bool truncated;
} chattrix_cell;

// `mysql_library_init` is a macro.
static inline bool chattrix_library_init(void) { return mysql_library_init(0, NULL, NULL) == 0; }

static inline void chattrix_bind_null(MYSQL_BIND *bind) {
  memset(bind, 0, sizeof *bind);
  bind->buffer_type = MYSQL_TYPE_NULL;
}

static inline void chattrix_bind_value(
  MYSQL_BIND *bind, enum enum_field_types type, void *value, unsigned long length) {
  memset(bind, 0, sizeof *bind);
  bind->buffer_type = type;
  bind->buffer = value;
  bind->buffer_length = length;
  bind->length_value = length;
  bind->length = &bind->length_value;
}

static inline void chattrix_bind_result(
  MYSQL_BIND *bind, enum enum_field_types type, void *buffer, unsigned long capacity,
  chattrix_cell *cell) {
  memset(bind, 0, sizeof *bind);
  bind->buffer_type = type;
  bind->buffer = buffer;
  bind->buffer_length = capacity;
  bind->length = &cell->length;
  bind->is_null = &cell->is_null;
  bind->error = &cell->truncated;
}

static inline bool chattrix_is_null(const chattrix_cell *cell) { return cell->is_null != 0; }

// These return my_bool in one library and bool in the other.
static inline bool chattrix_bind_param_failed(MYSQL_STMT *statement, MYSQL_BIND *bind) {
  return mysql_stmt_bind_param(statement, bind) != 0;
}
static inline bool chattrix_bind_result_failed(MYSQL_STMT *statement, MYSQL_BIND *bind) {
  return mysql_stmt_bind_result(statement, bind) != 0;
}
// `mysql_stmt_more_results` is missing from MySQL's library; the status says the same.
static inline int chattrix_has_more_results(MYSQL_STMT *statement) {
  return (statement->mysql->server_status & SERVER_MORE_RESULTS_EXIST) != 0;
}
// The connection that a statement belongs to; NULL once that is closed.
static inline MYSQL *chattrix_connection(MYSQL_STMT *statement) { return statement->mysql; }

static inline void chattrix_free_result(MYSQL_STMT *statement) {
  (void)mysql_stmt_free_result(statement);
}
static inline void chattrix_close_statement(MYSQL_STMT *statement) {
  (void)mysql_stmt_close(statement);
}

// Whether the server has closed an idle connection, or has sent what was not asked for: why it closes it.
// With TLS the latter may be the protocol's own and says nothing.
static inline bool chattrix_is_closed(MYSQL *connection) {
#if defined(MARIADB_BASE_VERSION) || defined(MARIADB_PACKAGE_VERSION)
  int descriptor = mysql_get_socket(connection);
#else
  int descriptor = connection->net.fd;
#endif
  char byte;
  ssize_t count = recv(descriptor, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (count > 0) return mysql_get_ssl_cipher(connection) == NULL;
  return count == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

static inline void chattrix_use_tcp(MYSQL *connection) {
  unsigned int protocol = MYSQL_PROTOCOL_TCP;
  mysql_options(connection, MYSQL_OPT_PROTOCOL, &protocol);
}

static inline void chattrix_set_timeouts(
  MYSQL *connection, unsigned int connect, unsigned int read, unsigned int write) {
  mysql_options(connection, MYSQL_OPT_CONNECT_TIMEOUT, &connect);
  mysql_options(connection, MYSQL_OPT_READ_TIMEOUT, &read);
  mysql_options(connection, MYSQL_OPT_WRITE_TIMEOUT, &write);
}

// With a read time-out, MariaDB's library receives without waiting, which fails, polls, and receives
// again: four system calls a statement where two do. A socket that blocks and has that time-out itself
// (SO_RCVTIMEO) can wait in the first `recv`; EAGAIN then means that the time is up, and the library
// reports a lost connection as before. Versions differ in how they leave a socket: 3.3 as it has to be, 3.4
// non-blocking and without a time-out. A connection with TLS reads elsewhere and is left alone. MySQL's library
// has no such hook.
#if defined(MARIADB_BASE_VERSION) || defined(MARIADB_PACKAGE_VERSION)
#include <ma_pvio.h>

static inline ssize_t chattrix_receive(MARIADB_PVIO *channel, uchar *buffer, size_t length) {
  ssize_t count;
  do {
    count = recv(mysql_get_socket(channel->mysql), buffer, length, 0);
  } while (count == -1 && errno == EINTR);
  return count;
}

typedef struct {
  PVIO_METHODS methods;
} chattrix_channel;

// `channel` belongs to the caller and outlives the connection.
static inline void chattrix_wait_in_receive(
  MYSQL *connection, chattrix_channel *channel, unsigned int seconds) {
  if (mysql_get_ssl_cipher(connection) != NULL) return;
  const struct timeval limit = {.tv_sec = seconds};
  my_socket socket = mysql_get_socket(connection);
  fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) & ~O_NONBLOCK);
  setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  channel->methods = *connection->net.pvio->methods;
  channel->methods.read = chattrix_receive;
  connection->net.pvio->methods = &channel->methods;
}
#else
typedef struct {
  char unused;
} chattrix_channel;

static inline void chattrix_wait_in_receive(
  MYSQL *connection, chattrix_channel *channel, unsigned int seconds) {
  (void)connection;
  (void)channel;
  (void)seconds;
}
#endif
