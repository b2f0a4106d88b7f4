# Runs a test runner and hands its report to proctor: what it prints, or the files that it wrote just
# now, as sealed frames. The last one says that the runner ended, and how; whoever kills this script
# keeps it from that.
# usage: relay.sh STDOUT|FILES FILE-PATTERN|FOLDER... -- COMMAND...
mode=$1
shift
newline='
'
patterns=
while [ "$1" != -- ]; do
  patterns="$patterns$newline$1"
  shift
done
shift
exec 3>'{{channel}}' 5>&1
status=$(
  {
    {
      exec 7>&1
      if [ "$mode" = STDOUT ]; then
        echo 'F c3Rkb3V0'
        code=$(
          {
            { "$@" 3>&- 4>&- 5>&- 6>&- 7>&-; echo $? >&6; } |
              base64 -w 3900 6>&- | sed 's/^/D /' >&7 6>&-
          } 6>&1
        )
      else
        begin=$(mktemp)
        # The clock of files ticks slowly: what is written from here on is newer.
        sleep 0.02
        "$@" >&5 3>&- 4>&- 5>&- 7>&-
        code=$?
        # Names may hold blanks; patterns are still expanded.
        IFS=$newline
        for pattern in $patterns; do
          [ -e "$pattern" ] || continue
          find "$pattern" -type f -newer "$begin" | sort | while IFS= read -r file; do
            echo "F $(printf %s "$file" | base64 -w0)"
            base64 -w 3900 "$file" | sed 's/^/D /'
          done
        done
        rm -f "$begin"
      fi
      echo "E $code"
      echo "$code" >&4
    } | awk '{ printf "P1 {{nonce}} relay %d . %s\n", NR - 1, $0; fflush() }' >&3 4>&-
  } 4>&1
)
exit "$status"
