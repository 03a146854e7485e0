#!/bin/sh
# Säkerhetskopia medan tjänsten går:  deploy/backup.sh MAPP
# Läser DATABASE_URL och DELNINGSSTOD_DATA som tjänsten gör. Index och hämtade källor tas inte med: de går att göra om.
set -eu
[ $# -eq 1 ] || { echo "Ange mappen för kopian: $0 MAPP" >&2; exit 2; }
umask 077
data=${DELNINGSSTOD_DATA:-data}
copy=$1/$(date -u +%Y%m%dT%H%M%SZ)
mkdir -p "$1"
mkdir "$copy.part"
# Ankaren först: ett ankare som är nyare än databasens kopia skulle se ut som att spårningen har kapats.
[ ! -f "$data/audit-anchors.jsonl" ] || cp "$data/audit-anchors.jsonl" "$copy.part/"
if [ -n "${DATABASE_URL:-}" ]; then
    pg_dump --format=custom --no-owner --file "$copy.part/delningsstod.dump" "$DATABASE_URL"
else
    [ -f "$data/delningsstod.db" ] || { echo "Det finns ingen databas i $data." >&2; exit 1; }
    "${PYTHON:-$(dirname "$0")/../.venv/bin/python}" - "$data/delningsstod.db" "$copy.part/delningsstod.db" <<'PY'
import sqlite3, sys
there, here = (sqlite3.connect(name) for name in sys.argv[1:])
there.execute("PRAGMA busy_timeout = 60000")
there.backup(here)
here.execute("PRAGMA journal_mode = DELETE")
[(said,)] = here.execute("PRAGMA integrity_check").fetchall()
sys.exit(0 if said == "ok" else f"Kopian är inte hel: {said}")
PY
fi
sync
mv "$copy.part" "$copy"    # en mapp utan .part är en hel kopia
echo "$copy"
