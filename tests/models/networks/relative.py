from .patches import Patches


class Net(Patches):
    pass
