// libmysqlclient or MariaDB Connector/C, whichever the system's development package brings.
// `my_bool` is `char` in MariaDB's header and was replaced by `bool` in MySQL 8: no type of either
// name leaves this file.
#pragma once
#include <mysql.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

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
// To be called where an error of the server's came instead of the rows. MariaDB's library believes that
// they are still to come, and whatever is done with the statement next would wait for them until the
// time-out.
static inline void chattrix_forget_rows(MYSQL_STMT *statement) {
#if defined(MARIADB_BASE_VERSION) || defined(MARIADB_PACKAGE_VERSION)
  // Out of memory (CR_OUT_OF_MEMORY) is the client's own: then they are.
  if (mysql_stmt_errno(statement) != 2008) statement->state = MYSQL_STMT_FETCH_DONE;
#else
  (void)statement;
#endif
}
static inline void chattrix_free_result(MYSQL_STMT *statement) {
  (void)mysql_stmt_free_result(statement);
}
static inline void chattrix_close_statement(MYSQL_STMT *statement) {
  (void)mysql_stmt_close(statement);
}

static inline void chattrix_set_timeouts(
  MYSQL *connection, unsigned int connect, unsigned int read, unsigned int write) {
  mysql_options(connection, MYSQL_OPT_CONNECT_TIMEOUT, &connect);
  mysql_options(connection, MYSQL_OPT_READ_TIMEOUT, &read);
  mysql_options(connection, MYSQL_OPT_WRITE_TIMEOUT, &write);
}
