// The large files of a lab (Python: Lab.files), which no view needs until a reader asks for what they make possible.
import type { LabModel } from "./model";

type Handler = (content: { file?: string }, buffers: (DataView | ArrayBuffer)[]) => void;
interface KernelModel {
  send(content: unknown): void;
  on(event: "msg:custom", handler: Handler): void;
  off(event: "msg:custom", handler: Handler): void;
}

/** A file's bytes: from beside a published page, or from the kernel. Rejected where it does not come. */
export function labFile<Traits>(model: LabModel<Traits>, name: string, signal: AbortSignal): Promise<DataView> {
  if (model.file) return model.file(name);
  const kernel = model as unknown as KernelModel;
  return new Promise((resolve, reject) => {
    const take: Handler = (content, [bytes]) => {
      if (content?.file !== name) return;
      kernel.off("msg:custom", take);
      resolve(bytes instanceof DataView ? bytes : new DataView(bytes));
    };
    kernel.on("msg:custom", take);
    signal.addEventListener("abort", () => {
      kernel.off("msg:custom", take);
      reject(new Error("the lab is gone"));
    }, { once: true });
    kernel.send({ file: name });
  });
}
