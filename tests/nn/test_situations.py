"""The tools that people use on any `nn.Module`, used on ours: a test per tool, over every kind of attention.

They are situations, not implementations: nothing here knows how a forward pass is evaluated.
"""

import copy
import io
import pickle
import threading
import warnings

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, parametrize, prune
from torch.utils.checkpoint import checkpoint
from torch.utils.flop_counter import FlopCounterMode

from flatten_edu.analysis import capture
from flatten_edu.functional import FocusedSettings, attention_matrix, focused_attention, focused_map, linear_attention
from flatten_edu.models import DeiT, DeiTConfig, flatten_deit_tiny
from flatten_edu.nn import ATTENTIONS, make_attention

KINDS = sorted(ATTENTIONS)
MIXING = [kind for kind in KINDS if kind != "none"]
pytestmark = pytest.mark.usefixtures("readers_view")  # a compiler need not look into the shape checker


@pytest.fixture(autouse=True)
def fresh_compiler():
    torch.compiler.reset()
    yield
    torch.compiler.reset()


def attention(kind, **settings):
    """A module with parameters drawn at random, on a 2 x 3 grid with a class token."""
    torch.manual_seed(0)
    module = make_attention(kind, 8, 2, (2, 3), **settings)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_(std=0.3)
    return module


def tokens(batch=2, **settings):
    return torch.randn(batch, 7, 8, generator=torch.Generator().manual_seed(1), **settings)


def deit(kind="focused_dwc", **settings):
    torch.manual_seed(0)
    shape = {"dim": 12, "num_heads": 3, "depth": 2, "img_size": 32, "patch_size": 8, "num_classes": 5}
    return DeiT(DeiTConfig(attention=kind, **shape | settings))


def images(batch=2):
    return torch.randn(batch, 3, 32, 32, generator=torch.Generator().manual_seed(1))


class Count:
    """A backend for torch.compile that counts graphs and runs them as they are."""

    def __init__(self):
        self.graphs = 0

    def __call__(self, graph, inputs):
        self.graphs += 1
        return graph.forward


# Compilers and exporters


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("gradients", [False, True])
def test_compile_makes_at_most_two_graphs_for_any_number_of_batch_sizes(kind, gradients):
    """One head: PyTorch chooses a convolution anew at 16 images, and DWC sees an image per head."""
    module, count = deit(kind, pool="mean", num_heads=1, dim=8, depth=1).train(gradients), Count()
    compiled = torch.compile(module, fullgraph=True, backend=count)
    with torch.set_grad_enabled(gradients):
        for batch in range(2, 16):
            x = images(batch)
            torch.testing.assert_close(compiled(x), module(x), rtol=1e-4, atol=1e-5)
    assert count.graphs <= 2


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["focused_dwc", "softmax"])
def test_inductor_trains_as_eager_does(kind):
    module = deit(kind)
    compiled = torch.compile(copy.deepcopy(module), fullgraph=True)
    for batch in (2, 3, 5):
        for net in (module, compiled):
            net.zero_grad()
            net(images(batch)).square().sum().backward()
        for one, other in zip(compiled.parameters(), module.parameters(), strict=True):
            torch.testing.assert_close(one.grad, other.grad, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_compile_with_dynamic_shapes_from_the_start(kind):
    module, count = attention(kind), Count()
    compiled = torch.compile(module, fullgraph=True, dynamic=True, backend=count)
    for batch in (2, 3, 7):
        torch.testing.assert_close(compiled(tokens(batch)), module(tokens(batch)))
    assert count.graphs == 1


@pytest.mark.parametrize("kind", KINDS)
def test_compile_with_a_mask(kind):
    module, mask = attention(kind), torch.arange(7).expand(2, 7) < 5
    compiled = torch.compile(module, fullgraph=True, backend=Count())
    torch.testing.assert_close(compiled(tokens(), mask), module(tokens(), mask))


@pytest.mark.parametrize("kind", KINDS)
def test_export_with_a_dynamic_batch_runs_at_other_sizes(kind):
    model = deit(kind).eval()
    exported = torch.export.export(model, (images(),), dynamic_shapes=({0: torch.export.Dim("batch")},)).module()
    for batch in (1, 2, 5):
        torch.testing.assert_close(exported(images(batch)), model(images(batch)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning", "ignore::DeprecationWarning", "ignore::FutureWarning")
def test_a_trace_runs_at_other_batch_sizes(kind):
    module = attention(kind).eval()
    traced = torch.jit.trace(module, (tokens(),), check_trace=False)
    for batch in (1, 2, 5):
        torch.testing.assert_close(traced(tokens(batch)), module(tokens(batch)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dynamo", [False, True])
@pytest.mark.filterwarnings("ignore")
def test_onnx(kind, dynamo, tmp_path):
    pytest.importorskip("onnx")
    if dynamo:
        pytest.importorskip("onnxscript")
    runtime = pytest.importorskip("onnxruntime")
    module, path = attention(kind).eval(), tmp_path / "m.onnx"
    axes = {"dynamic_shapes": ({0: "batch"},)} if dynamo else {"dynamic_axes": {"x": {0: "batch"}}}
    torch.onnx.export(module, (tokens(),), path, input_names=["x"], dynamo=dynamo, **axes)
    session = runtime.InferenceSession(path)
    for batch in (1, 2, 5):
        (out,) = session.run(None, {"x": tokens(batch).numpy()})
        torch.testing.assert_close(torch.from_numpy(out), module(tokens(batch)), rtol=1e-4, atol=1e-5)


# torch.func


def double(*shape):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("p", [0.5, 1, 3, 8])
def test_every_derivative_of_the_focused_map(p):
    x, direction = double(4), double(4).flip(0)

    def f(x):
        return (focused_map(x[None], p)[0] * torch.arange(1, 5)).sum()

    gradient = torch.func.grad(f)(x)
    _, along = torch.func.jvp(f, (x,), (direction,))
    torch.testing.assert_close(along, gradient @ direction)
    hessian = torch.func.hessian(f)(x)
    torch.testing.assert_close(hessian, hessian.T)
    _, change = torch.func.jvp(torch.func.grad(f), (x,), (direction,))
    torch.testing.assert_close(change, hessian @ direction)
    each = torch.func.vmap(torch.func.grad(f))(torch.stack([x, 2 * x]))
    torch.testing.assert_close(each[0], gradient)
    assert hessian.isfinite().all()


@pytest.mark.parametrize("kind", MIXING)
@pytest.mark.filterwarnings("ignore:There is a performance drop:UserWarning")
def test_functional_calls_vmap_and_jvp_of_a_module(kind):
    module, x = attention(kind).double(), tokens(dtype=torch.float64)
    parameters = dict(module.named_parameters())

    def loss(parameters, one):
        return torch.func.functional_call(module, parameters, (one[None],)).square().sum()

    each = torch.func.vmap(torch.func.grad(loss), (None, 0))(parameters, x)
    module(x).square().sum().backward()
    for name, parameter in module.named_parameters():
        torch.testing.assert_close(each[name].sum(0), parameter.grad)
    if kind in ("softmax", "scaled_softmax", "scaled_softmax_dwc"):
        return  # PyTorch's fused kernel has no forward-mode derivative
    _, along = torch.func.jvp(lambda x: module(x).square().sum(), (x,), (torch.ones_like(x),))
    torch.testing.assert_close(along, torch.func.grad(lambda x: module(x).square().sum())(x).sum())


# Tools that look at modules, or change them


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_hooks_fire_on_every_submodule(kind, training):
    model, fired = deit(kind).train(training), set()
    wanted = {name for name, child in model.named_modules() if name and not isinstance(child, nn.ModuleList)}
    for name in wanted:
        model.get_submodule(name).register_forward_hook(lambda *_, name=name: fired.add(name))
    with torch.inference_mode(not training):
        model(images())
    assert fired == wanted


def test_a_hook_that_changes_a_layer_s_output_counts():
    for layer in ("qkv", "dwc", "proj"):
        module = attention("focused_dwc").eval()
        with torch.no_grad():
            before = module(tokens())
            module.get_submodule(layer).register_forward_hook(lambda module, inputs, out: 2 * out)
            assert not torch.allclose(before, module(tokens()))


def test_a_layer_may_be_replaced():
    module = attention("focused_dwc")
    module.dwc = nn.Sequential(nn.Conv2d(4, 4, 1), nn.ReLU())
    before = module(tokens())
    module.qkv = nn.Sequential(module.qkv, nn.Dropout(0.5))
    assert not torch.allclose(before, module(tokens()))
    module.dwc = None
    assert module(tokens()).shape == (2, 7, 8)


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_the_flop_counter_counts_what_the_book_counts(device):
    with torch.device(device), torch.no_grad(), FlopCounterMode(display=False) as counter:
        flatten_deit_tiny().eval()(torch.zeros(1, 3, 224, 224))
    assert counter.get_total_flops() / 2 == pytest.approx(1.145e9, rel=2e-3)


@pytest.mark.parametrize("layer", ["qkv", "dwc", "proj"])
def test_pruning(layer):
    module = attention("focused_dwc")
    before = module(tokens())
    prune.l1_unstructured(module.get_submodule(layer), "weight", amount=0.5)
    pruned = module(tokens())
    assert not torch.allclose(before, pruned)
    prune.remove(module.get_submodule(layer), "weight")
    torch.testing.assert_close(module(tokens()), pruned)


@pytest.mark.parametrize("layer", ["qkv", "dwc", "proj"])
@pytest.mark.parametrize("wrap", [parametrizations.weight_norm, parametrizations.spectral_norm])
def test_parametrisations(layer, wrap):
    module = attention("focused_dwc").train()
    wrap(module.get_submodule(layer))
    module(tokens()).sum().backward()
    assert parametrize.is_parametrized(module.get_submodule(layer))
    assert all(p.grad is not None for p in module.get_submodule(layer).parameters())


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")
def test_dynamic_quantisation():
    module = attention("focused_dwc").eval()
    quantised = torch.ao.quantization.quantize_dynamic(module, {nn.Linear}, dtype=torch.qint8)
    assert "quantized.dynamic" in type(quantised.qkv).__module__
    torch.testing.assert_close(quantised(tokens()), module(tokens()), rtol=0.2, atol=0.1)


@pytest.mark.parametrize("kind", KINDS)
def test_copies_and_pickles(kind):
    module = attention(kind).eval()
    file = io.BytesIO()
    torch.save(module, file)
    file.seek(0)
    for twin in (copy.deepcopy(module), pickle.loads(pickle.dumps(module)), torch.load(file, weights_only=False)):
        assert twin(tokens()).equal(module(tokens()))


@pytest.mark.parametrize("compile_it", [lambda m: m.compile(backend="eager"), lambda m: m.blocks[1].compile()])
def test_capture_looks_into_a_model_that_was_compiled_in_place(compile_it):
    model = deit().eval()
    with capture(model, images()) as wanted:
        pass
    compile_it(model)
    with capture(model, images()) as found:
        pass
    assert [r.name for r in found] == [r.name for r in wanted] and found[1].weights.equal(wanted[1].weights)
    assert any(m._compiled_call_impl is not None for m in model.modules())


# Devices, dtypes, memory


@pytest.mark.parametrize("kind", KINDS)
def test_shapes_alone_on_the_meta_device(kind):
    with torch.device("meta"):
        assert deit(kind)(torch.zeros(2, 3, 32, 32)).shape == (2, 5)


@pytest.mark.parametrize("kind", MIXING)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_and_autocast(kind, dtype):
    module, x = attention(kind), tokens()
    wanted = module(x)
    with torch.autocast("cpu", dtype):
        out = module(x)
        out.float().sum().backward()
    torch.testing.assert_close(out.float(), wanted, rtol=0.1, atol=0.1)
    half = copy.deepcopy(module).to(dtype)(x.to(dtype))
    assert half.dtype == dtype
    torch.testing.assert_close(half.float(), wanted, rtol=0.1, atol=0.1)


def test_double_as_the_default_dtype():
    torch.set_default_dtype(torch.float64)
    try:
        model = deit()
        assert model(images().double()).dtype == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("kind", MIXING)
def test_checkpointed_activations(kind):
    module, x = attention(kind), tokens().requires_grad_()
    (wanted,) = torch.autograd.grad(module(x).square().sum(), x)
    (found,) = torch.autograd.grad(checkpoint(module, x, use_reentrant=False).square().sum(), x)
    torch.testing.assert_close(found, wanted)


@pytest.mark.parametrize("kind", KINDS)
def test_inference_mode_and_several_threads_at_once(kind):
    module, found = attention(kind).eval(), [None] * 6

    def work(i):
        with torch.inference_mode():
            found[i] = module(tokens(i + 1))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i, out in enumerate(found):
        torch.testing.assert_close(out, module(tokens(i + 1)))


@pytest.mark.parametrize("kind", MIXING)
def test_inputs_that_are_not_contiguous_or_empty(kind):
    module, x = attention(kind), tokens()
    torch.testing.assert_close(module(x.mT.contiguous().mT), module(x))
    torch.testing.assert_close(module(x[:1].expand(3, -1, -1)), module(x[:1].repeat(3, 1, 1)))
    nothing = torch.empty(0, 7, 8, requires_grad=True)
    module(nothing).sum().backward()
    assert nothing.grad.shape == nothing.shape


@pytest.mark.parametrize("wrapper", ["ddp", "fsdp"])
@pytest.mark.filterwarnings("ignore")
def test_wrapped_for_several_processes(wrapper, tmp_path):
    torch.distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1)
    try:
        model = deit(pool="mean")
        wanted = model(images()).detach()
        if wrapper == "ddp":
            wrapped = nn.parallel.DistributedDataParallel(model)
        else:
            from torch.distributed.fsdp import fully_shard

            wrapped = fully_shard(model, mesh=torch.distributed.init_device_mesh("cpu", (1,)))
        out = wrapped(images())
        out.sum().backward()
        torch.testing.assert_close(out, wanted)
    finally:
        torch.distributed.destroy_process_group()


# Masks


@pytest.mark.parametrize("kind", KINDS)
def test_a_module_takes_a_mask_per_image(kind):
    module, x = attention(kind), tokens()
    mask = torch.tensor([[True] * 5 + [False] * 2, [True] * 7])
    out = module(x, mask)
    torch.testing.assert_close(out[:1], module(x[:1], mask[:1]))
    torch.testing.assert_close(out[1:], module(x[1:]), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(module(x, mask[:1]), module(x, mask[:1].expand(2, -1)))
    for wrong in (mask[0], mask[:, :6], mask[None], mask.float(), mask.T):
        with pytest.raises(ValueError, match="needs a boolean key_mask"):
            module(x, wrong)


@pytest.mark.parametrize("shape", [(5,), (2, 1, 5), (1, 3, 5), (2, 3, 5)])
def test_a_function_takes_masks_that_read_one_way(shape):
    q, k, v = (torch.rand(2, 3, n, 4) for n in (6, 5, 5))
    mask = torch.ones(shape, dtype=torch.bool)
    mask[..., -1] = False
    out = linear_attention(q, k, v, mask)
    torch.testing.assert_close(out, linear_attention(q, k[..., :4, :], v[..., :4, :]))
    assert (attention_matrix(q, k, "relu", mask)[..., -1] == 0).all()


@pytest.mark.parametrize("shape", [(2, 5), (3, 5), (1, 5), (1, 2, 3, 5)])
def test_a_mask_that_reads_two_ways_is_refused_with_the_ways_out(shape):
    q = k = v = torch.rand(2, 3, 5, 4)
    with pytest.raises(ValueError, match=r"for a mask per image pass key_mask\[:, None\], for one per head"):
        linear_attention(q, k, v, torch.ones(shape, dtype=torch.bool))


def test_the_formula_takes_other_keys_than_queries():
    q, kv, scale = torch.rand(2, 5, 8), torch.rand(2, 9, 8), torch.ones(8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert focused_attention(q, kv, kv, scale, FocusedSettings(2)).shape == q.shape
