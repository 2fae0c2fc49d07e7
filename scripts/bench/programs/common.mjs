// Response data and token verification of the Node.js programs, configured by BENCH_* variables.
import { createSecretKey } from "node:crypto";
import jwt from "jsonwebtoken";

export const PATH = "/api/calls/voice-ai/config";
const USER = "64f0a1b2c3d4e5f6a7b8c9d1";
const USERS = new Map([[USER, "64f0a1b2c3d4e5f6a7b8c000"]]);

// The key is created once; from a string, each verification would create it again.
const KEY = createSecretKey(process.env.BENCH_SECRET, "utf8");

export const REFUSED = { success: false, error: "A valid credential is required", code: "UNAUTHENTICATED" };
export const FAILED = { success: false, error: "Something went wrong", code: "INTERNAL_ERROR" };

const numbers = Array.from({ length: Number(process.env.BENCH_NUMBERS) }, (_, index) => ({
  provider: "sinch",
  phoneNumber: `+1416${String(index).padStart(7, "0")}`,
  isDefault: index === 0,
  isInboundEnabled: true,
  aiEnabled: index % 2 === 0,
  aiAgentId: "64f0a1b2c3d4e5f6a7b8cc00",
  elevenlabsPhoneNumberId: `eleven-pn-${index}`,
  label: `Line ${index}`,
  userName: "Ada Admin",
  userId: USER,
}));
if (process.env.BENCH_BREAK === "1") numbers[0].isDefault = "yes";

// Created for each request, as with a store; the numbers are the stored data.
export const config = () => ({
  aiVoiceProvider: "elevenlabs",
  hasApiKey: true,
  hasToolSecret: true,
  hasEstCredentials: true,
  sinchEstProjectId: "project",
  sinchEstTrunkId: "trunk",
  sinchEstTrunkDomain: "example.sip.sinch.com",
  phoneNumbers: numbers,
});

// Returns true if an Authorization header has a valid token of a known user.
export function isKnown(header = "") {
  const [scheme, token] = header.split(" ");
  if (scheme.toLowerCase() !== "bearer") return false;
  try {
    const claims = jwt.verify(token, KEY, { algorithms: ["HS256"] });
    return "exp" in claims && USERS.has(claims.userId);
  } catch {
    return false;
  }
}

export function listen(app) {
  app.listen(Number(process.env.PORT), "127.0.0.1");
}
