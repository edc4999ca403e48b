// libfcgi's re-entrant interface (FCGX_*); fcgi_stdio.h, which redefines stdio, stays out.
#pragma once
#include <fcgiapp.h>
