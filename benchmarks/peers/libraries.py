"""timm, Lightning and fastai: libraries, whose users write a program."""

from typing import Final

from benchmarks.peers.contestant import PROGRAMS, Contestant, last_number

CONTESTANTS: Final = (
    Contestant(
        name="lightning",
        title="Lightning, the course's network",
        distribution="lightning",
        requirements="lightning.txt",
        program=PROGRAMS / "lightning_course.py",
        commands=(f"python {PROGRAMS / 'lightning_course.py'} {{torchvision}} 5",),
        epochs=5,
        batch_size=256,
        read_accuracy=last_number,
        source="https://lightning.ai/docs/pytorch/stable/starter/introduction.html",
    ),
    Contestant(
        name="timm",
        title="timm, resnet18, 28 pixels",
        distribution="timm",
        requirements="timm.txt",
        program=PROGRAMS / "timm_resnet18.py",
        commands=(f"python {PROGRAMS / 'timm_resnet18.py'} {{torchvision}} 1",),
        epochs=1,
        batch_size=128,
        read_accuracy=last_number,
        source="https://huggingface.co/docs/timm/training_script",
    ),
    Contestant(
        name="fastai",
        title="fastai, resnet18, 28 pixels",
        distribution="fastai",
        requirements="fastai.txt",
        program=PROGRAMS / "fastai_resnet18.py",
        commands=(f"python {PROGRAMS / 'fastai_resnet18.py'} {{pngs}} 1",),
        epochs=1,
        batch_size=256,
        read_accuracy=last_number,
        source="https://docs.fast.ai/tutorial.vision.html",
    ),
)
