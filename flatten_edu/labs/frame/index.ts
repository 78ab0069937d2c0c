// What a lab takes from the frame, from one place.
export * from "./axes";
export * from "./colours";
export * from "./controls";
export * from "./dom";
export * from "./files";
export * from "./focusing_factor";
export * from "./lab";
export * from "./memo";
export * from "./model";
export * from "./numbers";
export * from "./patches";
export * from "./pictures";
export * from "./summary";
export * from "./tabs";
export * from "./tensors";
export * from "./weight_table";
export * from "./worker";
