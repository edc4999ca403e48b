// The least that a FastCGI application can do, as a ceiling: a pool of processes over libfcgi that
// answer with what they were told to, having done nothing. `echo SOCKET PROCESSES BACKLOG`.
#include <fcgiapp.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <signal.h>
#include <unistd.h>

static void serve(int listening) {
  FCGX_Request request;
  FCGX_InitRequest(&request, listening, 0);
  while (FCGX_Accept_r(&request) == 0) {
    const char *id = FCGX_GetParam("REQUEST_ID", request.envp);
    FCGX_FPrintF(
      request.out,
      "Status: %s\r\nContent-Type: application/json\r\nX-Request-Id: %s\r\nCache-Control: no-store\r\n\r\n"
      "{\"success\":false,\"error\":{\"code\":\"AUTHENTICATION_FAILED\",\"message\":\"A bearer token is "
      "required.\"},\"requestId\":\"%s\"}",
      "401 Unauthorized", id ? id : "", id ? id : "");
    FCGX_Finish_r(&request);
  }
}

int main(int count, char **arguments) {
  if (count != 4 || FCGX_Init() != 0) return 64;
  int listening = FCGX_OpenSocket(arguments[1], atoi(arguments[3]));
  if (listening < 0) return 1;
  for (int process = atoi(arguments[2]); process > 0; process--) {
    if (fork() == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      serve(listening);
      return 0;
    }
  }
  pause();
}
