// libfcgi's re-entrant interface (FCGX_*); fcgi_stdio.h, which redefines stdio, stays out.
#pragma once
// As in CLinux: clang wants the system's headers to look the same in every module.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcgiapp.h>
