"""Two or more processes that add up one number with gloo: what several ranks need is there.

Started by torchrun from `llmops doctor`. Prints the sum and its own version of torch, or ends with
the error that a training on several ranks would end with.
"""

from __future__ import annotations


def main() -> None:
    """Every rank gives one; the first says how many there were."""
    import torch
    from torch import distributed

    distributed.init_process_group("gloo")
    try:
        total = torch.ones(1)
        distributed.all_reduce(total)
        if distributed.get_rank() == 0:
            print(f"ranks {int(total.item())} torch {torch.__version__}", flush=True)
        distributed.barrier()
    finally:
        distributed.destroy_process_group()


if __name__ == "__main__":
    main()
