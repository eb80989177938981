/** The API under /api/v1: importing a file registers its functions. */
export * as access from './access.ts';
export * as applications from './applications.ts';
export * as audit from './audit.ts';
export * as deadLetters from './dead-letters.ts';
export * as events from './events.ts';
export * as status from './get-status.ts';
export * as hooks from './hooks.ts';
export * as imageChanges from './image-changes.ts';
export * as imageDetails from './image-details.ts';
export * as images from './images.ts';
export * as jobs from './jobs.ts';
export * as keys from './keys.ts';
export * as logs from './logs.ts';
export * as machines from './machines.ts';
export * as policies from './policies.ts';
export * as services from './services.ts';
export * as tokenKeys from './token-keys.ts';
