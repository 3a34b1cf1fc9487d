import { defineConfig } from 'postern';

/** Clients with wrong passwords share one address, which the throttle would refuse. */
export default defineConfig({ throttle: false });
