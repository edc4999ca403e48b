// The Linux calls that Swift's Glibc module lacks, and the C constructs that Swift cannot import
// (variadic functions, macros with casts, bit-field unions).
//
// _GNU_SOURCE stays undefined: Swift's own Glibc module is built without it, and the indexer refuses
// two modules that see different members in one struct of the system's headers (fd_set). The few
// functions that would need it are declared here.
#pragma once
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef __USE_GNU
typedef struct {
  const char *dli_fname;
  void *dli_fbase;
  const char *dli_sname;
  void *dli_saddr;
} Dl_info;
int dladdr(const void *address, Dl_info *info);
int pthread_setname_np(pthread_t thread, const char *name);
int pthread_timedjoin_np(pthread_t thread, void **result, const struct timespec *moment);
int memfd_create(const char *name, unsigned int flags);
#endif

// fcntl(2) is variadic.
static inline int chattrix_fcntl(int descriptor, int command, int argument) {
  return fcntl(descriptor, command, argument);
}

// accept4(2): the next connection, non-blocking and close-on-exec from the start.
static inline int chattrix_accept(int listener) {
  return accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

// prctl(2) is variadic. Asks for `signal` when the parent dies: a worker must not outlive its
// supervisor and go on accepting on a socket that nothing refers to any more.
static inline int chattrix_set_parent_death_signal(int signal) {
  return prctl(PR_SET_PDEATHSIG, (unsigned long)signal, 0UL, 0UL, 0UL);
}

// The wait(2) macros.
static inline int chattrix_exited(int status) { return WIFEXITED(status); }
static inline int chattrix_exit_code(int status) { return WEXITSTATUS(status); }
static inline int chattrix_signaled(int status) { return WIFSIGNALED(status); }
static inline int chattrix_signal(int status) { return WTERMSIG(status); }

// The union in epoll_event is imported with its tag only; these keep a 64-bit tag in it.
static inline int chattrix_epoll_control(
  int epoll, int operation, int descriptor, uint32_t events, uint64_t tag) {
  struct epoll_event event = {.events = events, .data = {.u64 = tag}};
  return epoll_ctl(epoll, operation, descriptor, &event);
}
static inline uint64_t chattrix_epoll_tag(const struct epoll_event *event) {
  return event->data.u64;
}

// Counters shared by several processes through one mapping: the compiler's atomics on plain memory.
static inline uint64_t chattrix_counter_add(uint64_t *counter, uint64_t amount) {
  return __atomic_add_fetch(counter, amount, __ATOMIC_RELAXED);
}
static inline uint64_t chattrix_counter_load(const uint64_t *counter) {
  return __atomic_load_n(counter, __ATOMIC_RELAXED);
}
static inline void chattrix_counter_store(uint64_t *counter, uint64_t value) {
  __atomic_store_n(counter, value, __ATOMIC_RELAXED);
}

// memfd_create(2), whose flags need _GNU_SOURCE; mmap(2)'s failure value is a cast macro.
static inline int chattrix_memfd(const char *name) { return memfd_create(name, 1 /* MFD_CLOEXEC */); }
static inline void *chattrix_map_shared(int descriptor, size_t length) {
  void *address = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  return address == MAP_FAILED ? NULL : address;
}

// setsockopt(2) with a timeval: how long a read or write on a blocking socket may wait.
static inline void chattrix_limit_transfer(int descriptor, int option, int milliseconds) {
  struct timeval limit = {.tv_sec = milliseconds / 1000, .tv_usec = milliseconds % 1000 * 1000};
  setsockopt(descriptor, SOL_SOCKET, option, &limit, sizeof limit);
}

// Connections that wait on a listening socket: of a Unix socket by a netlink request, whose answer is a chain of
// attributes that only C's macros walk. -1 where the kernel does not say.
static inline int chattrix_accept_queue_of_unix(const struct unix_diag_msg *message, int length) {
  for (const struct rtattr *part = (const struct rtattr *)(message + 1); RTA_OK(part, length);
       part = RTA_NEXT(part, length))
    if (part->rta_type == UNIX_DIAG_RQLEN && RTA_PAYLOAD(part) >= sizeof(struct unix_diag_rqlen))
      return (int)((const struct unix_diag_rqlen *)RTA_DATA(part))->udiag_rqueue;
  return -1;
}
static inline int chattrix_accept_queue_length(int descriptor) {
  struct tcp_info info;
  socklen_t size = sizeof info;
  if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &size) == 0) return (int)info.tcpi_unacked;
  struct stat status;
  if (fstat(descriptor, &status) != 0) return -1;
  struct {
    struct nlmsghdr head;
    struct unix_diag_req body;
  } request = {
    .head = {.nlmsg_len = sizeof request, .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST},
    .body = {.sdiag_family = AF_UNIX, .udiag_states = -1, .udiag_ino = (uint32_t)status.st_ino,
             .udiag_show = UDIAG_SHOW_RQLEN, .udiag_cookie = {-1, -1}},
  };
  int netlink = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  if (netlink < 0) return -1;
  _Alignas(struct nlmsghdr) char answer[1024];
  ssize_t got = -1;
  // The kernel answers within send(2).
  if (send(netlink, &request, sizeof request, 0) == sizeof request)
    got = recv(netlink, answer, sizeof answer, MSG_DONTWAIT);
  close(netlink);
  const struct nlmsghdr *head = (const struct nlmsghdr *)answer;
  int least = NLMSG_LENGTH(sizeof(struct unix_diag_msg));
  if (got < least || head->nlmsg_type != SOCK_DIAG_BY_FAMILY || head->nlmsg_len > got) return -1;
  return chattrix_accept_queue_of_unix(
      (const struct unix_diag_msg *)NLMSG_DATA(head), (int)head->nlmsg_len - least);
}
