#!/bin/bash
# Checks who includes whom, and that functions with a safe substitute are not called.
#
#   scripts/check_layers.sh              check the repository; each violation is printed as file:line: what
#   scripts/check_layers.sh --self-test  prove that each kind of violation is found and that clean code is not
#
# The tables below are the rules. Comments and string literals are taken out before looking for names.
set -euo pipefail

read -r -d '' program <<'AWK' || true
BEGIN {
    # Which folders a folder may include; cli joins the parts, tests reach all of them.
    allow("base", "base")
    allow("backtest", "base backtest")
    allow("store", "base store")
    allow("cache", "base cache")
    allow("jobs", "base store jobs")
    allow("ingest", "base store backtest jobs ingest")
    allow("server", "base server")
    allow("handlers", "base backtest store cache jobs ingest server handlers")
    allow("cli", "base backtest store cache jobs ingest server handlers cli")
    allow("tests", "base backtest store cache jobs ingest server handlers cli tests")

    # Third-party headers and the files that own them. Tests may use what they like.
    own("^jansson\\.h$", "^base/json_in(_read)?\\.c$", "base/json_in.c and json_in_read.c")
    own("^sqlite3\\.h$", "^store/db_sqlite(_[a-z]+)?\\.[ch]$", "store/db_sqlite*.c")
    own("^(libpq-fe\\.h|libpq/|postgresql/|pg_config)", "^store/db_pg(_[a-z]+)*\\.[ch]$", "store/db_pg*.c")
    own("^microhttpd\\.h$", "^server/http(_[a-z0-9_]+)?\\.c$", "server/http.c and two http_*.c beside it")
    own("^curl/", "^ingest/transport(_[a-z]+)?\\.[ch]$", "ingest/transport*.c")
    own("^expat\\.h$", "^ingest/xml_in\\.c$", "ingest/xml_in.c")
    own("^(hiredis/|hiredis\\.h$)", "^cache/redis_(link|tls)\\.c$", "cache/redis_link.c and cache/redis_tls.c")
    own("^openssl/", "^(base/digest|cache/redis_tls)\\.c$", "base/digest.c and cache/redis_tls.c")
    own("^zlib\\.h$", "^base/(encode_)?gzip\\.c$", "base/gzip.c and base/encode_gzip.c")
    own("^zstd\\.h$", "^base/(encode_)?zstd\\.c$", "base/zstd.c and base/encode_zstd.c")
    own("^brotli/", "^base/encode_br\\.c$", "base/encode_br.c")
    http_files_max = 3

    # What else may stand in <>: C17, POSIX and what Linux and the compilers add. A library that is missing here has
    # no owner yet: give it one above.
    split("assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal stdalign stdarg " \
          "stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string tgmath threads time uchar wchar wctype " \
          "dirent dlfcn fcntl fnmatch ftw getopt glob grp iconv langinfo libgen netdb poll pthread pwd regex sched " \
          "search semaphore spawn strings syslog termios ucontext unistd utime endian execinfo malloc byteswap " \
          "immintrin cpuid x86intrin", names, " ")
    for (i in names)
        system_header[names[i] ".h"] = 1

    # backtest is pure: it computes, and leaves time, threads and files to its callers.
    impure = "^(pthread|threads|time|unistd|fcntl|poll|signal|dirent|netdb|syslog)\\.h$|^(sys|net|netinet|arpa)/"

    split("strcpy strcat sprintf strtok atoi gets localtime gmtime", names, " ")
    for (i in names)
        banned[names[i]] = 1
}

function allow(folder, list,    parts, i) {
    folders[folder] = list
    split(list, parts, " ")
    for (i in parts)
        may[folder, parts[i]] = 1
}

function own(header, files, text) {
    n_owned++
    owned_header[n_owned] = header
    owned_files[n_owned] = files
    owned_text[n_owned] = text
}

function complain(what) {
    printf "%s:%d: %s\n", FILENAME, FNR, what
    violations++
}

# The line without comments; without the contents of literals too, unless it is an include. in_comment lasts over lines.
function code_of(line,    out, i, n, c, two, quote, keep) {
    keep = !in_comment && line ~ /^[ \t]*#[ \t]*include/
    out = ""
    n = length(line)
    for (i = 1; i <= n; i++) {
        c = substr(line, i, 1)
        two = substr(line, i, 2)
        if (in_comment) {
            if (two == "*/") { in_comment = 0; i++; out = out " " }
        } else if (quote != "") {
            if (keep) out = out c
            if (c == "\\" && !keep) i++
            else if (c == quote) { quote = ""; if (!keep) out = out c }
        } else if (two == "/*") { in_comment = 1; i++ }
        else if (two == "//") break
        else {
            if (c == "\"" || c == "'") quote = c
            out = out c
        }
    }
    return out
}

function check_local(path,    target) {
    if (path !~ /\//) {
        complain("include \"" path "\" by its path from the repository's root")
        return
    }
    target = path
    sub(/\/.*/, "", target)
    if (!((folder, target) in may))
        complain(folder " may include " folders[folder] ", not " path)
}

function check_system(path,    i) {
    if (folder == "backtest" && path ~ impure)
        complain("backtest is pure and has no use for <" path ">")
    if (path in system_header || path ~ /^(sys|net|netinet|arpa|linux|sanitizer)\//)
        return
    if (folder == "tests")
        return
    for (i = 1; i <= n_owned; i++) {
        if (path !~ owned_header[i])
            continue
        if (FILENAME !~ owned_files[i])
            complain("<" path "> belongs to " owned_text[i])
        else if (path == "microhttpd.h" && !(FILENAME in http_files)) {
            http_files[FILENAME] = 1
            if (++n_http_files > http_files_max)
                complain("<microhttpd.h> is included by more than " http_files_max " files already")
        }
        return
    }
    complain("<" path "> is a library without an owner: scripts/check_layers.sh lists them")
}

FNR == 1 {
    in_comment = 0
    folder = FILENAME
    sub(/\/.*/, "", folder)
}

{
    code = code_of($0)
    if (code ~ /^[ \t]*#[ \t]*include[ \t]*"/) {
        split(code, parts, "\"")
        check_local(parts[2])
        next
    }
    if (code ~ /^[ \t]*#[ \t]*include[ \t]*</) {
        path = code
        sub(/^[^<]*</, "", path)
        sub(/>.*/, "", path)
        check_system(path)
        next
    }
    n = split(code, words, /[^A-Za-z0-9_]+/)
    for (i = 1; i <= n; i++) {
        if (words[i] in banned)
            complain(words[i] " is banned")
        # LAPACK has no header: its routines are known by their Fortran names.
        if (words[i] ~ /^(d[a-z]+[0-9a-z]*|xerbla)_$/ && folder != "tests" && FILENAME != "backtest/linear.c")
            complain(words[i] " is LAPACK, which belongs to backtest/linear.c")
    }
}

END { exit violations > 0 }
AWK

check() {
    local files
    files=$(find base store cache backtest jobs ingest server handlers cli tests -type f \( -name '*.[ch]' -o -name '*.def' \) \
        2>/dev/null | sort)
    [ -z "$files" ] && return 0
    # shellcheck disable=SC2086
    LC_ALL=C awk "$program" $files
}

# One line per case: the file, its one line of code, and whether it must be found.
self_test() {
    local failures=0 cases=0 file verdict code found
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    cd "$scratch"
    while IFS='|' read -r verdict file code; do
        [ -n "$verdict" ] || continue
        rm -rf -- *
        mkdir -p "$(dirname "$file")"
        printf '%b\n' "$code" >"$file"
        found=clean
        check >output || found=found
        cases=$((cases + 1))
        if [ $found != "$verdict" ] || { [ $found = found ] && ! grep -q "^$file:[0-9]*: " output; }; then
            echo "check_layers self-test: $file '$code' should be $verdict, was $found"
            failures=$((failures + 1))
        fi
    done <<'CASES'
clean|base/a.c|#include "base/err.h"
found|base/a.c|#include "store/db.h"
found|base/a.c|#include "err.h"
clean|backtest/a.c|#include "base/err.h"
found|backtest/a.c|#include "store/db.h"
found|backtest/a.h|#include <pthread.h>
found|store/a.c|#include "backtest/stats.h"
found|cache/a.c|#include "store/db.h"
clean|ingest/sources/a.c|#include "store/db.h"
found|ingest/sources/a.c|#include "server/app.h"
clean|jobs/a.c|#include "store/db.h"
found|jobs/a.c|#include "backtest/stats.h"
found|jobs/a.c|#include "handlers/prices.h"
found|server/a.c|#include "handlers/prices.h"
found|server/a.c|#include "store/db.h"
clean|handlers/a.c|#include "server/app.h"
found|handlers/a.c|#include "cli/serve.h"
clean|cli/a.c|#include "handlers/prices.h"
found|cli/a.c|#include <microhttpd.h>
clean|base/json_in.c|#include <jansson.h>
found|base/json_out.c|#include <jansson.h>
clean|store/db_pg.c|#include <libpq-fe.h>
found|store/db.c|#include <libpq-fe.h>
found|store/db.c|# include <postgresql/libpq-fe.h>
clean|store/db_sqlite.c|#include <sqlite3.h>
found|store/db_pg.c|#include <sqlite3.h>
clean|server/http_reply.c|#include <microhttpd.h>
found|server/router.c|#include <microhttpd.h>
clean|ingest/transport.c|#include <curl/curl.h>
found|ingest/lake.c|#include <curl/curl.h>
clean|cache/redis_link.c|#include <hiredis/hiredis.h>
found|cache/l1.c|#include <hiredis.h>
clean|base/digest.c|#include <openssl/evp.h>
found|server/auth.c|#include <openssl/evp.h>
clean|base/gzip.c|#include <zlib.h>
clean|base/encode_gzip.c|#include <zlib.h>
clean|base/encode_zstd.c|#include <zstd.h>
found|base/encode.c|#include <zstd.h>
clean|base/encode_br.c|#include <brotli/encode.h>
found|handlers/answer.c|#include <brotli/encode.h>
found|ingest/lake.c|#include <zlib.h>
found|base/a.c|#include <archive.h>
clean|backtest/linear.c|    dpotrf_("L", &n, a, &n, &info, 1);
found|backtest/a.c|    dpotrf_("L", &n, a, &n, &info, 1);
clean|tests/unit/test_a.c|#include <cmocka.h>
found|base/a.c|    strcpy(to, from);
found|base/a.c|    x = (sprintf) (to, from);
found|tests/unit/test_a.c|    n = atoi(text);
found|base/a.c|    puts("a \\" b"); gets(line); /* read */
found|base/a.c|/* first\n last */ strcat(to, from);
found|base/a.c|    c = '"'; t = localtime(&now);
found|server/routes.def|ROUTE(GET, strtok)
clean|base/a.c|    snprintf(to, n, "strcpy(a, b)"); /* never strcpy */ // strcat
clean|base/a.c|/* a comment with\n gmtime in it */
clean|base/a.c|    gmtime_r(&now, &parts); my_strcpy();
clean|base/a.c|/* \n#include "store/db.h"\n */
CASES
    if [ $failures -gt 0 ]; then
        return 1
    fi
    rm -rf -- *
    mkdir server
    for file in http http_a http_b http_c; do
        echo '#include <microhttpd.h>' >server/$file.c
    done
    if check >output; then
        echo "check_layers self-test: a fourth file with <microhttpd.h> should be found"
        return 1
    fi
    echo "check_layers self-test: $((cases + 1)) cases as expected"
}

case "${1-}" in
'')
    cd "$(dirname "$0")/.."
    check || {
        echo "check_layers: violations above; the rules are the tables in scripts/check_layers.sh" >&2
        exit 1
    }
    ;;
--self-test) self_test ;;
*)
    sed -n '4,5s/^# *//p' "$0" >&2
    exit 2
    ;;
esac
