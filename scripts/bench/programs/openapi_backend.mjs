// Express with openapi-backend, as in its README; requests and responses are validated.
import express from "express";
import { OpenAPIBackend } from "openapi-backend";
import { FAILED, REFUSED, config, isKnown, listen } from "./common.mjs";

const backend = new OpenAPIBackend({ definition: process.env.BENCH_SPEC });

backend.register({
  get_calls_voice_ai_config: async () => config(),
  unauthorizedHandler: async (context, request, response) => response.status(401).json(REFUSED),
  validationFail: async (context, request, response) => response.status(400).json(FAILED),
  notFound: async (context, request, response) => response.status(404).json(FAILED),
  postResponseHandler: async (context, request, response) => {
    if (response.headersSent) return response;
    const { errors } = context.api.validateResponse(context.response, context.operation, 200);
    return errors ? response.status(500).json(FAILED) : response.status(200).json(context.response);
  },
});
backend.registerSecurityHandler("bearerAuth", (context) => isKnown(context.request.headers.authorization));
await backend.init();

const app = express();
app.use(express.json());
app.use((request, response) => backend.handleRequest(request, request, response));
listen(app);
