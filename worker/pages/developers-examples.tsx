// Requests to copy, with this server's own issuer in them.

const Example = ({ title, text }: { title: string; text: string }) => (
  <div class="stack-2">
    <h3>{title}</h3>
    <pre class="code" tabindex={0}>
      {text}
    </pre>
  </div>
)

export const Examples = ({ issuer }: { issuer: string }) => (
  <>
    <Example title="1. Find everything" text={`curl ${issuer}/.well-known/uma2-configuration`} />
    <Example
      title="2. Register your service"
      text={`curl ${issuer}/register -H 'Content-Type: application/json' -d '{
  "client_name": "My shelf",
  "client_uri": "https://shelf.example",
  "redirect_uris": ["https://shelf.example/connected"],
  "grant_types": ["authorization_code", "refresh_token"]
}'`}
    />
    <Example
      title="3. Send the owner here, and turn the code into a PAT"
      text={`${issuer}/authorize?response_type=code&client_id=$ID&scope=uma_protection&state=$STATE&redirect_uri=https://shelf.example/connected&code_challenge=$CHALLENGE&code_challenge_method=S256

curl ${issuer}/token -u "$ID:$SECRET" -d grant_type=authorization_code -d code=$CODE \\
  -d redirect_uri=https://shelf.example/connected -d code_verifier=$VERIFIER`}
    />
    <Example
      title="4. Register a thing, and get a ticket when somebody comes without a token"
      text={`curl ${issuer}/uma/resource -H "Authorization: Bearer $PAT" -H 'Content-Type: application/json' \\
  -d '{"name": "Lisbon.pdf", "resource_scopes": ["view"]}'

curl ${issuer}/uma/permission -H "Authorization: Bearer $PAT" -H 'Content-Type: application/json' \\
  -d '{"resource_id": "'$RESOURCE'", "resource_scopes": ["view"]}'`}
    />
    <Example
      title="5. As an app: turn the ticket into a token"
      text={`curl ${issuer}/token -u "$APP:$APP_SECRET" \\
  -d grant_type=urn:ietf:params:oauth:grant-type:uma-ticket -d ticket=$TICKET`}
    />
    <Example
      title="6. As the service: what is this token good for, now?"
      text={`curl ${issuer}/introspect -H "Authorization: Bearer $PAT" -d token=$RPT`}
    />
  </>
)
