// A workgroup's sum and largest number, known to all its 64 threads.
var<workgroup> shared_values: array<f32, 64>;
fn total(value: f32, index: u32) -> f32 {
  shared_values[index] = value;
  for (var half = 32u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (index < half) { shared_values[index] += shared_values[index + half]; }
  }
  return workgroupUniformLoad(&shared_values[0]);
}
fn largest(value: f32, index: u32) -> f32 {
  shared_values[index] = value;
  for (var half = 32u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (index < half) { shared_values[index] = max(shared_values[index], shared_values[index + half]); }
  }
  return workgroupUniformLoad(&shared_values[0]);
}
struct Rows { length: u32, value: f32 }
@group(0) @binding(0) var<uniform> s: Rows;
