// The forward pass of the small DeiTs that come with the library (Python: flatten_edu.models.DeiT), in float64.
// tests/browser/test_maps.py holds logits, q, k, v and weights to PyTorch's, variant by variant.
import { AttentionMap, part, phiRows, type Feature, type Kernel, type Layer } from "./attention_maps";
import { add, gelu, layerNorm, linear, softplus } from "./layers";
import type { Tensors } from "./safetensors";

export type Variant = "softmax" | "relu" | "focused" | "focused_dwc" | "dwc";

export interface Settings {
  variant: Variant;
  heads: number;
  /** Of focused attention; for "relu" 1 is plain ReLU, and another p is f_p head by head. */
  p: number;
  perHead: boolean;
}

export interface PassBlock extends Layer {
  phiQ: Float64Array | null;
  phiK: Float64Array | null;
  /** heads x n x n, without the convolution's share. */
  weights: Float64Array;
}

export interface Pass {
  logits: Float64Array;
  blocks: PassBlock[];
}

/** An image, standardised, channel after channel: its class scores, and what each attention module computed. */
export function forward(tensors: Tensors, image: Float64Array, settings: Settings): Pass {
  const get = (name: string) => tensors.get(name)!.data;
  const { tokens: start, grid } = embed(tensors, image);
  const c = get("cls_token").length;
  let x = start;
  const blocks: PassBlock[] = [];
  for (let i = 0; tensors.has(`blocks.${i}.norm1.weight`); i++) {
    const of = (name: string) => get(`blocks.${i}.${name}`);
    const affine = (input: Float64Array, name: string) => linear(input, of(`${name}.weight`), of(`${name}.bias`));
    const normed = layerNorm(x, of("norm1.weight"), of("norm1.bias"));
    const qkv = affine(normed, settings.variant === "dwc" ? "attn.v" : "attn.qkv");
    const { out, block } = attend(qkv, tensors, i, grid, settings);
    x = add(x, affine(out, "attn.proj"));
    const hidden = affine(layerNorm(x, of("norm2.weight"), of("norm2.bias")), "mlp.fc1").map(gelu);
    x = add(x, affine(hidden, "mlp.fc2"));
    blocks.push(block);
  }
  const last = layerNorm(x, get("norm.weight"), get("norm.bias"));
  return { logits: linear(meanOfPatches(last, c), get("head.weight"), get("head.bias")), blocks };
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

function attend(
  qkv: Float64Array, tensors: Tensors, index: number, grid: [number, number], settings: Settings,
): { out: Float64Array; block: PassBlock } {
  const own = (name: string) => tensors.get(`blocks.${index}.attn.${name}`) ?? null;
  const none = new Float64Array(0); // the convolution alone has values, and no queries and keys
  const [q, k, v] = settings.variant === "dwc" ? [none, none, qkv] : thirds(qkv, tensors.get("cls_token")!.data.length);
  const positions = own("positional_encoding");
  const kernel = own("dwc.weight");
  const layer: Layer = {
    n: grid[0] * grid[1] + 1, heads: settings.heads, q, v,
    k: positions ? add(k, positions.data) : k,
    scale: own("scale")?.data.map(softplus) ?? null,
    kernel: kernel && { sides: [kernel.shape[2], kernel.shape[3]], data: kernel.data },
  };
  const block = mapped(layer, settings);
  const out = summed(block.weights, v, settings.heads);
  if (layer.kernel) convolve(out, layer, layer.kernel, own("dwc.bias")!.data, grid);
  return { out, block };
}

/** phi and the weights of a layer; none are formed where there is the convolution alone. */
function mapped(layer: Layer, { variant, p, perHead }: Settings): PassBlock {
  const { n, heads, q, k, scale } = layer;
  const kind = variant === "softmax" || variant === "relu" ? variant : "focused";
  const feature: Feature = { kind, p, perHead };
  const all = (x: Float64Array) => (kind === "softmax" || variant === "dwc" ? null : phiRows(x, n, feature, heads, scale));
  const weights = new Float64Array(heads * n * n);
  const map = new AttentionMap(layer, feature);
  if (variant !== "dwc") {
    for (let head = 0; head < heads; head++) weights.set(map.rows(head), head * n * n);
  }
  return { ...layer, phiQ: all(q), phiK: all(k), weights };
}

/** Each head's weights times its values, heads side by side. */
function summed(weights: Float64Array, v: Float64Array, heads: number): Float64Array {
  const n = Math.sqrt(weights.length / heads);
  const [c, d] = [v.length / n, v.length / n / heads];
  const out = new Float64Array(v.length);
  for (let head = 0; head < heads; head++) {
    for (let i = 0; i < n; i++) {
      const row = out.subarray(i * c + head * d, i * c + (head + 1) * d);
      for (let j = 0; j < n; j++) {
        const weight = weights[(head * n + i) * n + j];
        for (let e = 0, from = j * c + head * d; e < d; e++, from++) row[e] += weight * v[from];
      }
    }
  }
  return out;
}

/** Adds the depthwise convolution of the values to the patches' rows: twin of `depthwise_conv`. */
function convolve(out: Float64Array, { n, heads, v }: Layer, { sides, data }: Kernel, bias: Float64Array, [rows, columns]: [number, number]): void {
  const c = out.length / n;
  const size = sides[0] * sides[1];
  for (let cell = 0; cell < rows * columns; cell++) {
    const row = part(out, n, cell + 1);
    for (let e = 0; e < c; e++) row[e] += bias[e % (c / heads)];
    for (let o = 0; o < size; o++) {
      const y = Math.floor(cell / columns) + Math.floor(o / sides[1]) - (sides[0] >> 1);
      const x = (cell % columns) + (o % sides[1]) - (sides[1] >> 1);
      if (y < 0 || y >= rows || x < 0 || x >= columns) continue;
      const from = (1 + y * columns + x) * c;
      for (let e = 0; e < c; e++) row[e] += data[(e % (c / heads)) * size + o] * v![from + e];
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

function thirds(qkv: Float64Array, c: number): [Float64Array, Float64Array, Float64Array] {
  const n = qkv.length / (3 * c);
  const third = (which: number) => Float64Array.from({ length: n * c }, (_, i) => qkv[Math.floor(i / c) * 3 * c + which * c + (i % c)]);
  return [third(0), third(1), third(2)];
}

function meanOfPatches(tokens: Float64Array, c: number): Float64Array {
  const n = tokens.length / c;
  const mean = new Float64Array(c);
  for (let i = c; i < tokens.length; i++) mean[i % c] += tokens[i] / (n - 1);
  return mean;
}
