#!/bin/sh
# Makes the roles of the processes with their passwords; "firebreak migrate" gives them their rights.
set -eu
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
  --set app="$POSTGRES_APP_PASSWORD" --set executor="$POSTGRES_EXECUTOR_PASSWORD" <<'SQL'
create role firebreak_app login password :'app';
create role firebreak_executor login password :'executor';
SQL
