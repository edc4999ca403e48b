// uWebSockets' own EchoServer, without TLS and without compression (which costs it memory and time),
// on one thread.
//
//   uwebsockets PORT

#include <cstdlib>
#include <iostream>

#include "App.h"

int main(int argc, char **argv) {
  struct PerSocketData {};
  if (argc != 2) return 64;
  uWS::App()
      .ws<PerSocketData>("/*", {
          .compression = uWS::DISABLED,
          .maxPayloadLength = 16 * 1024,
          .idleTimeout = 120,
          .maxBackpressure = 256 * 1024,
          .message = [](auto *ws, std::string_view message, uWS::OpCode opCode) {
            ws->send(message, opCode, false);
          },
      })
      .listen("127.0.0.1", std::atoi(argv[1]), [](auto *socket) {
        if (socket) return;
        std::cerr << "cannot listen" << std::endl;
        std::exit(1);
      })
      .run();
}
