// Each row of `out` divided by q . sums, or set to zero where that is zero; a workgroup a row of at most 64 numbers.
// After reduce.wgsl.
@group(0) @binding(1) var<storage, read> q: array<f32>;
@group(0) @binding(2) var<storage, read> sums: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  let at = group.x * s.length + index;
  var term = 0.0;
  if (index < s.length) { term = q[at] * sums[index]; }
  let sum = total(term, index);
  if (index < s.length) { out[at] = select(0.0, out[at] / sum, sum != 0.0); }
}
