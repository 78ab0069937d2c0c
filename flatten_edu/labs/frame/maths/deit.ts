// The forward pass of the small DeiTs that come with the library (Python: flatten_edu.models.DeiT), in float64.
// tests/browser/test_maps.py holds logits, q, k, v and weights to PyTorch's, variant by variant.
import { AttentionMap, neighbour, ofHead, part, type Kernel, type Layer } from "./attention_maps";
import { add, gelu, layerNorm, linear, meanRow, product, softplus } from "./layers";
import type { Tensors } from "./safetensors";

export type Variant = "softmax" | "relu" | "focused" | "focused_dwc";

export interface Settings {
  variant: Variant;
  heads: number;
  /** Of focused attention; for "relu" 1 is plain ReLU, and another p is f_p head by head. */
  p: number;
  perHead: boolean;
}

/** Weights: heads x n x n, without the convolution's share. */
export interface Pass { logits: Float64Array; blocks: (Layer & { weights: Float64Array })[] }

/** An image, standardised, channel after channel: its class scores, and what each attention module computed. */
export function forward(tensors: Tensors, image: Float64Array, settings: Settings): Pass {
  const get = (name: string) => tensors.get(name)!.data;
  const { tokens: start, grid } = embed(tensors, image);
  const c = get("cls_token").length;
  let x = start;
  const blocks: Pass["blocks"] = [];
  for (let i = 0; tensors.has(`blocks.${i}.norm1.weight`); i++) {
    const of = (name: string) => get(`blocks.${i}.${name}`);
    const affine = (input: Float64Array, name: string) => linear(input, of(`${name}.weight`), of(`${name}.bias`));
    const qkv = affine(layerNorm(x, of("norm1.weight"), of("norm1.bias")), "attn.qkv");
    const { out, block } = attend(qkv, tensors, i, grid, settings);
    x = add(x, affine(out, "attn.proj"));
    const hidden = affine(layerNorm(x, of("norm2.weight"), of("norm2.bias")), "mlp.fc1").map(gelu);
    x = add(x, affine(hidden, "mlp.fc2"));
    blocks.push(block);
  }
  const last = layerNorm(x, get("norm.weight"), get("norm.bias"));
  return { logits: linear(meanRow(last.subarray(c), c), get("head.weight"), get("head.bias")), blocks };
}

/** Patches through one strided convolution, the class token in front, positions added. */
function embed(tensors: Tensors, image: Float64Array): { tokens: Float64Array; grid: [number, number] } {
  const { data: weight, shape: [c, channels, side] } = tensors.get("patch_embed.proj.weight")!;
  const pixels = Math.round(Math.sqrt(image.length / channels));
  const grid: [number, number] = [pixels / side, pixels / side];
  const patches = new Float64Array(image.length);
  let at = 0;
  for (let cell = 0; cell < grid[0] * grid[1]; cell++) {
    const [top, left] = [Math.floor(cell / grid[1]) * side, (cell % grid[1]) * side];
    for (let k = 0; k < channels; k++) {
      for (let y = 0; y < side; y++) for (let x = 0; x < side; x++) patches[at++] = image[(k * pixels + top + y) * pixels + left + x];
    }
  }
  const tokens = new Float64Array(c * (grid[0] * grid[1] + 1));
  tokens.set(tensors.get("cls_token")!.data);
  tokens.set(linear(patches, weight, tensors.get("patch_embed.proj.bias")!.data), c);
  return { tokens: add(tokens, tensors.get("pos_embed")!.data), grid };
}

function attend(qkv: Float64Array, tensors: Tensors, index: number, grid: [number, number], { variant, heads, p, perHead }: Settings) {
  const own = (name: string) => tensors.get(`blocks.${index}.attn.${name}`) ?? null;
  const n = grid[0] * grid[1] + 1;
  const [q, k, v] = [0, 1, 2].map((third) => ofHead(qkv, n, 3, third));
  const positions = own("positional_encoding");
  const kernel = own("dwc.weight");
  const layer: Layer = {
    n, heads, q, v, k: positions ? add(k, positions.data) : k, scale: own("scale")?.data.map(softplus) ?? null,
    kernel: kernel && { sides: [kernel.shape[2], kernel.shape[3]], data: kernel.data },
  };
  const map = new AttentionMap(layer, { kind: variant === "focused_dwc" ? "focused" : variant, p, perHead });
  const weights = new Float64Array(heads * n * n);
  const out = new Float64Array(v.length);
  for (let head = 0; head < heads; head++) {
    const rows = map.rows(head);
    const values = product(rows, ofHead(v, n, heads, head), n);
    weights.set(rows, head * n * n);
    for (let i = 0; i < n; i++) part(out, n, i, heads, head).set(part(values, n, i));
  }
  if (layer.kernel) convolve(out, layer, layer.kernel, own("dwc.bias")!.data, grid);
  return { out, block: { ...layer, weights } };
}

/** Adds the depthwise convolution of the values to the patches' rows: twin of `depthwise_conv`. */
function convolve(out: Float64Array, { n, heads, v }: Layer, { sides, data }: Kernel, bias: Float64Array, grid: [number, number]): void {
  const c = out.length / n;
  const size = sides[0] * sides[1];
  for (let cell = 0; cell < grid[0] * grid[1]; cell++) {
    const row = part(out, n, cell + 1);
    for (let e = 0; e < c; e++) row[e] += bias[e % (c / heads)];
    for (let o = 0; o < size; o++) {
      const from = (1 + neighbour(cell, o, sides, grid)) * c;
      if (from > 0) for (let e = 0; e < c; e++) row[e] += data[(e % (c / heads)) * size + o] * v![from + e];
    }
  }
}

/** Pixels 0 to 255, colour by colour of each pixel, as a model takes them: twin of `standardise`. */
export function standardise(pixels: ArrayLike<number>, mean: readonly number[], deviation: readonly number[]): Float64Array {
  const size = pixels.length / 3;
  return Float64Array.from({ length: pixels.length }, (_, i) => {
    const channel = Math.floor(i / size);
    return (pixels[(i % size) * 3 + channel] / 255 - mean[channel]) / deviation[channel];
  });
}
