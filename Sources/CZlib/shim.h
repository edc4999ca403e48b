// zlib, for the deflated payload of an Agora token.
#pragma once
// As in CLinux: clang wants the system's headers to look the same in every module.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <zlib.h>
