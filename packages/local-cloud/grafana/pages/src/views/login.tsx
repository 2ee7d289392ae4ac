import { Alert, Button, Field, Input } from "@grafana/ui";
import { type FormEvent, useState } from "react";
import { signIn } from "../api.ts";
import { Page } from "./page.tsx";

/** Shows the sign-in page. After signing in, it opens the requested page. */
export function Login() {
  const [error, setError] = useState<string>();
  const [busy, setBusy] = useState(false);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setBusy(true);
    signIn(String(form.get("user")), String(form.get("password")))
      .then(() => {
        // A full page load, so that the new page reads the signed-in user.
        window.location.assign(target(new URLSearchParams(window.location.search).get("redirectTo")));
      })
      .catch((reason: unknown) => {
        setError(reason instanceof Error ? reason.message : String(reason));
        setBusy(false);
      });
  };
  return (
    <Page title="Sign in">
      <form onSubmit={submit} style={{ maxWidth: 360, display: "grid", gap: 16 }}>
        {error !== undefined && <Alert title={error} />}
        <Field label="User" noMargin htmlFor="user">
          <Input id="user" name="user" autoComplete="username" required autoFocus />
        </Field>
        <Field label="Password" noMargin htmlFor="password">
          <Input id="password" name="password" type="password" autoComplete="current-password" required />
        </Field>
        <Button type="submit" disabled={busy}>
          Sign in
        </Button>
      </form>
    </Page>
  );
}

/** Returns the path of the wanted page if it is on this server, else that of the start page. */
function target(wanted: string | null): string {
  const url = new URL(wanted ?? "/", window.location.origin);
  return url.origin === window.location.origin ? url.pathname + url.search : "/";
}
