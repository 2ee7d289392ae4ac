#!/usr/bin/env bash
# Previews the stack $STACK. The log contains the whole output; $RUNNER_TEMP/comment.md and the run's summary are shortened.
set -uo pipefail

# A comment has at most 65,536 characters. The middle is omitted because policy violations and the summary are at the end.
HEAD=40000
TAIL=18000

preview="$RUNNER_TEMP/preview.txt"
comment="$RUNNER_TEMP/comment.md"

pulumi preview --stack "$STACK" --policy-pack policy --diff --color never --suppress-progress 2>&1 | tee "$preview"
status=$?

{
  echo "### Preview of \`$STACK\`"
  echo '~~~~'
  if [ "$(wc -c < "$preview")" -gt $((HEAD + TAIL)) ]; then
    head -c "$HEAD" "$preview"
    printf '\n[…] see the log for the whole output\n'
    tail -c "$TAIL" "$preview"
  else
    cat "$preview"
  fi
  echo '~~~~'
} > "$comment"
cat "$comment" >> "$GITHUB_STEP_SUMMARY"
echo "comment=$comment" >> "$GITHUB_OUTPUT"
exit "$status"
