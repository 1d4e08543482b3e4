#ifndef ECHO_EXPORTER_SRC_HTTP_HTTP_LIBRARY_H_
#define ECHO_EXPORTER_SRC_HTTP_HTTP_LIBRARY_H_

// The way to <httplib.h>, in tests too: its settings are macros, which must be
// the same in every file of a program.

#if defined(CPPHTTPLIB_HTTPLIB_H) && !defined(CPPHTTPLIB_USE_POLL)
#error "include src/http/http_library.h instead of httplib.h"
#endif

// Linux's select() cannot wait for a descriptor above 1023, which some hundred
// connections and as many names to resolve can reach.
#ifndef CPPHTTPLIB_USE_POLL
#define CPPHTTPLIB_USE_POLL
#endif

#include <httplib.h>

#endif  // ECHO_EXPORTER_SRC_HTTP_HTTP_LIBRARY_H_
