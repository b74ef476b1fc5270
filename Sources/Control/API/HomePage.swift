/// What a person sees who opens the gateway in a browser.
enum HomePage {
    static var html: String {
        """
        <!doctype html><html lang="en"><head><meta charset="utf-8"><title>Sluice</title>
        <meta name="viewport" content="width=device-width">
        <style>body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem}</style></head>
        <body><h1>Sluice</h1><p>A media gateway: stream into rooms, record them, push them on.</p><ul>
        <li><a href="/readyz">Is it ready?</a></li><li><a href="/healthz">Is it alive?</a></li>
        <li><a href="/v1/openapi.json">The API, as OpenAPI 3.1</a></li></ul>
        <p>Everything under <code>/v1</code> asks for a token: <code>sluice token</code> makes one.</p></body></html>
        """
    }
}
