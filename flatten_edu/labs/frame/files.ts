// The large files of a lab (Python: Lab.files), which no view needs until a reader asks for what they make possible.
import type { LabModel } from "./model";

interface KernelModel {
  send(content: unknown): void;
  on(event: "msg:custom", handler: (content: { file?: string }, buffers: (DataView | ArrayBuffer)[]) => void): void;
  off(event: "msg:custom", handler: unknown): void;
}

/** A file's bytes: from beside a published page, or from the kernel. Rejected where it does not come. */
export function labFile<Traits>(model: LabModel<Traits>, name: string, signal: AbortSignal): Promise<DataView> {
  if (model.file) return model.file(name);
  const kernel = model as unknown as KernelModel;
  return new Promise((resolve, reject) => {
    const stop = () => {
      kernel.off("msg:custom", take);
      signal.removeEventListener("abort", gone);
    };
    const gone = () => {
      stop();
      reject(new Error("the lab is gone"));
    };
    const take = (content: { file?: string }, buffers: (DataView | ArrayBuffer)[]) => {
      if (content?.file !== name) return;
      stop();
      const bytes = buffers[0];
      resolve(bytes instanceof DataView ? bytes : new DataView(bytes));
    };
    kernel.on("msg:custom", take);
    signal.addEventListener("abort", gone);
    kernel.send({ file: name });
  });
}
