import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig, loadEnv } from "vite";

// In development the page comes from Vite and the data from a running `optlab serve`.
export default defineConfig(({ mode }) => ({
  plugins: [svelte()],
  // Addresses within the page are relative to its `<base>`, which the server writes.
  base: "./",
  build: { target: "es2022", assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  server: {
    proxy: {
      // The server refuses writes whose origin is another host than the one that it is called by.
      "/api": { target: loadEnv(mode, ".", "OPTLAB_").OPTLAB_SERVER ?? "http://127.0.0.1:8080", changeOrigin: false },
    },
  },
}));
