// A certified OpenID Connect provider with one client, as a peer of the stories:
// node oidc_provider.mjs PORT DASHBOARD SECRET GROUPS.json
// Whoever signs in is who the form says; GROUPS.json, read anew each time, says which groups each has.
import { readFileSync } from "node:fs";
import Provider from "oidc-provider";

const [port, dashboard, secret, groups] = process.argv.slice(2);
const issuer = `http://localhost:${port}`;

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "portcullis",
      client_secret: secret,
      redirect_uris: [`${dashboard}/sign-in/oidc/back`],
      post_logout_redirect_uris: [`${dashboard}/sign-in`],
      backchannel_logout_uri: `${dashboard}/sign-in/oidc/logout`,
      backchannel_logout_session_required: true,
      grant_types: ["authorization_code", "refresh_token"],
    },
  ],
  claims: { openid: ["sub"], profile: ["preferred_username"], groups: ["groups"] },
  // Groups stand in the ID token, as Keycloak's mapper puts them there.
  conformIdTokenClaims: false,
  findAccount: (_ctx, id) => ({
    accountId: id,
    claims: () => ({ sub: id, preferred_username: id, groups: JSON.parse(readFileSync(groups, "utf8"))[id] ?? [] }),
  }),
  issueRefreshToken: () => true,
  pkce: { required: () => true },
  cookies: { keys: [secret] },
  ttl: { AccessToken: 10, IdToken: 60, Session: 3600, Grant: 3600, Interaction: 600, RefreshToken: 3600 },
  features: { devInteractions: { enabled: true }, backchannelLogout: { enabled: true }, rpInitiatedLogout: { enabled: true } },
});
for (const event of ["server_error", "backchannel.error", "grant.error"]) {
  provider.on(event, (...about) => console.error(event, ...about));
}
provider.on("backchannel.success", () => console.error("backchannel.success"));
provider.listen(Number(port), "127.0.0.1", () => console.error(`listening at ${issuer}`));
