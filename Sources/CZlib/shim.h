// zlib, for the deflated payload of an Agora token.
#pragma once
#include <zlib.h>
