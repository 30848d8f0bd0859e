import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

/** Writes a compressed copy beside every file that gets smaller by it, so that the gateway compresses nothing itself. */
function precompressed(): Plugin {
  return {
    name: 'precompressed',
    apply: 'build',
    // After everything has been written: plugins still change files while a bundle is generated.
    writeBundle({ dir }, bundle) {
      for (const name of [...Object.keys(bundle), 'scheme.js']) {
        const file = join(dir ?? 'dist', name);
        const source = readFileSync(file);
        if (source.length < 1024) continue;
        writeFileSync(`${file}.br`, brotliCompressSync(source, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: source.length } }));
        writeFileSync(`${file}.gz`, gzipSync(source, { level: 9 }));
      }
    },
  };
}

export default defineConfig({
  plugins: [react(), precompressed()],
  resolve: {
    // Only a helper for the form library's own tests asks for it; see src/forms/validator.ts for why it is not here.
    alias: { '@rjsf/validator-ajv8': fileURLToPath(new URL('src/forms/validator.ts', import.meta.url)) },
  },
  build: {
    target: 'es2022',
    // The gateway's content security policy allows no inline scripts and needs no polyfill for preloading.
    modulePreload: { polyfill: false },
    // Files stay files: a data URL would not be compressed, and fonts would need an entry in the policy.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 700,
  },
  server: { port: 8003 },
});
