import { Alert, Button, Field, Input } from "@grafana/ui";
import { type FormEvent, useState } from "react";
import { signIn } from "../api.ts";
import { Page } from "./page.tsx";

/** The sign-in page. A wrong password is reported; after the right one the page that was asked for opens. */
export function Login() {
  const [error, setError] = useState<string>();
  const [busy, setBusy] = useState(false);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setBusy(true);
    signIn(String(form.get("user")), String(form.get("password")))
      .then(() => {
        // A whole new page: it knows who is signed in.
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

/** The page to go to: only of this server, whatever the address says. */
function target(wanted: string | null): string {
  const url = new URL(wanted ?? "/", window.location.origin);
  return url.origin === window.location.origin ? url.pathname + url.search : "/";
}
