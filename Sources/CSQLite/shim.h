#include <malloc.h>
#include <sqlite3.h>

/* sqlite3_config takes a list of unknown length, which Swift cannot call: sqlite.org/c3ref/config.html. */
static inline int csqlite_without_memory_statistics(void) { return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }
