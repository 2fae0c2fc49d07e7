// Express with a validator of requests and responses, as in their READMEs: `node.mjs express|openapi-backend`.
import { createSecretKey } from "node:crypto";
import { readFileSync } from "node:fs";
import express from "express";
import jwt from "jsonwebtoken";

const { BENCH_DATA, BENCH_PATH, BENCH_SECRET, BENCH_SPEC, PORT } = process.env;
const FAILED = { success: false, error: "Something went wrong", code: "INTERNAL_ERROR" };
const KEY = createSecretKey(BENCH_SECRET, "utf8"); // once; from a string, each verification would create it again
const { user, body } = JSON.parse(readFileSync(BENCH_DATA, "utf8"));
const config = () => ({ ...body }); // created for each request, as with a store

function isKnown(header = "") {
  const [scheme, token] = header.split(" ");
  if (scheme.toLowerCase() !== "bearer") return false;
  try {
    const claims = jwt.verify(token, KEY, { algorithms: ["HS256"] });
    return "exp" in claims && claims.userId === user;
  } catch {
    return false;
  }
}

async function withValidator(app) {
  const { middleware } = await import("express-openapi-validator");
  const handlers = { bearerAuth: (request) => isKnown(request.headers.authorization) };
  const validated = { validateRequests: true, validateResponses: true, validateSecurity: { handlers } };
  app.use(middleware({ apiSpec: BENCH_SPEC, ...validated }));
  app.get(BENCH_PATH, (request, response) => response.json(config()));
  app.use((error, request, response, next) => response.status(error.status ?? 500).json(FAILED));
}

async function withBackend(app) {
  const { OpenAPIBackend } = await import("openapi-backend");
  const backend = new OpenAPIBackend({ definition: BENCH_SPEC });
  const failing = (status) => async (context, request, response) => response.status(status).json(FAILED);
  backend.register({
    get_calls_voice_ai_config: async () => config(),
    unauthorizedHandler: failing(401),
    validationFail: failing(400),
    notFound: failing(404),
    postResponseHandler: async (context, request, response) => {
      if (response.headersSent) return response;
      const { errors } = context.api.validateResponse(context.response, context.operation, 200);
      return errors ? response.status(500).json(FAILED) : response.status(200).json(context.response);
    },
  });
  backend.registerSecurityHandler("bearerAuth", (context) => isKnown(context.request.headers.authorization));
  await backend.init();
  app.use((request, response) => backend.handleRequest(request, request, response));
}

const app = express();
app.use(express.json());
await (process.argv[2] === "express" ? withValidator : withBackend)(app);
app.listen(Number(PORT), "127.0.0.1");
