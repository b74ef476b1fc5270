#pragma once
#include <sqlite3.h>
int shim_sqlite_bind_text(sqlite3_stmt *statement, int index, const char *text, int count);
int shim_sqlite_bind_blob(sqlite3_stmt *statement, int index, const void *bytes, int count);
