// Express with express-openapi-validator, as in its README; requests and responses are validated.
import express from "express";
import * as OpenApiValidator from "express-openapi-validator";
import { FAILED, PATH, REFUSED, config, isKnown, listen } from "./common.mjs";

const app = express();
app.use(express.json());
app.use(
  OpenApiValidator.middleware({
    apiSpec: process.env.BENCH_SPEC,
    validateRequests: true,
    validateResponses: true,
    validateSecurity: { handlers: { bearerAuth: (request) => isKnown(request.headers.authorization) } },
  }),
);
app.get(PATH, (request, response) => response.json(config()));
app.use((error, request, response, next) => {
  response.status(error.status ?? 500).json(error.status === 401 ? REFUSED : FAILED);
});
listen(app);
