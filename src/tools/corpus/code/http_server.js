// A tiny JSON web server with an in-memory list of notes.
'use strict';

const http = require('node:http');

const notes = [];

function send(res, status, body) {
  res.writeHead(status, { 'Content-Type': 'application/json' });
  res.end(JSON.stringify(body));
}

async function readJson(req) {
  const chunks = [];
  for await (const chunk of req) {
    chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}

const server = http.createServer(async (req, res) => {
  if (req.url !== '/notes') {
    return send(res, 404, { error: 'not found' });
  }
  if (req.method === 'GET') {
    return send(res, 200, notes);
  }
  if (req.method !== 'POST') {
    return send(res, 405, { error: 'method not allowed' });
  }
  try {
    const { text } = await readJson(req);
    if (typeof text !== 'string' || text.trim() === '') {
      return send(res, 422, { error: 'text is required' });
    }
    const note = { id: notes.length + 1, text: text.trim() };
    notes.push(note);
    send(res, 201, note);
  } catch {
    send(res, 400, { error: 'invalid JSON' });
  }
});

const port = Number(process.env.PORT ?? 3000);
server.listen(port, () => console.log(`listening on port ${port}`));
