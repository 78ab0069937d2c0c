// WebGPU's constants, which TypeScript's types of the DOM leave out.
declare const GPUBufferUsage: Record<"COPY_DST" | "COPY_SRC" | "MAP_READ" | "QUERY_RESOLVE" | "STORAGE" | "UNIFORM", number>;
declare const GPUMapMode: Record<"READ", number>;
