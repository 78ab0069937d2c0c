// What build.mjs gives as a string: the bundle for a worker of the file that follows the colon, and a shader's text.
declare module "worker:*" {
  const code: string;
  export default code;
}
declare module "*.wgsl" {
  const text: string;
  export default text;
}
// WebGPU's constants, which TypeScript's types of the DOM leave out.
declare const GPUBufferUsage: Record<"COPY_DST" | "COPY_SRC" | "MAP_READ" | "QUERY_RESOLVE" | "STORAGE" | "UNIFORM", number>;
declare const GPUMapMode: Record<"READ", number>;
