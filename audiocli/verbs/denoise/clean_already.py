"""Speech that is clean already: found by the local signal-to-noise ratio of its frames, and left as it is."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

SPEECH = 0.0  # dB; frames below it are pauses, and say nothing about how clean speech is
KEEP = 0.995  # of the average over frames of speech from one to the next: two seconds of them
ENOUGH = 0.15  # weight of the average above which it says something: a third of a second of speech
# dB; below the first all is done, above the second nothing. Studio speech has 25 to 32 here, at 20 dB of noise it has 14 to 20.
NOISY, CLEAN = 24.0, 27.0
STEP = 0.02  # of the share from frame to frame: half a second from all to nothing


class Tracker:
    """The local SNR of frames in, the share of the denoised sound out.

    patience: frames after the one in question that count, too.
    """

    def __init__(self, patience: int) -> None:
        self._patience = patience
        self._weight = self._average = 0.0
        self._wanted: list[float] = []  # shares after each frame that is not settled
        self._share: float | None = None  # after the last settled frame
        self._frames = 0
        self._spoken = self._sum = self._settled = self._done = 0.0

    def __len__(self) -> int:
        return self._frames

    def push(self, snr: Floats) -> None:
        """The next frames, dB."""
        for value in snr.tolist():
            if value > SPEECH:
                self._weight += (1 - KEEP) * (1 - self._weight)
                self._average += (1 - KEEP) * (value - self._average)
                self._spoken, self._sum = self._spoken + 1, self._sum + value
            self._wanted.append(self._target())
        self._frames += len(snr)

    def settled(self, hop_length: int) -> Floats:
        """The share at each sample between the frames that are settled by now and were not before."""
        shares = [] if self._share is None else [self._share]
        ready = max(len(self._wanted) - self._patience, 0)
        # The first frame has its share at once, the others are near the one before them.
        for n in range(ready):
            wanted = self._wanted[n + self._patience]
            shares.append(shares[-1] + min(max(wanted - shares[-1], -STEP), STEP) if shares else wanted)
        self._wanted = self._wanted[ready:]
        if not shares:
            return np.zeros(0, np.float32)
        self._share = shares[-1]
        self._settled, self._done = self._settled + len(shares) - 1, self._done + sum(shares[1:])
        rise = np.diff(shares)[:, None] * (np.arange(hop_length) / hop_length)
        return (np.array(shares[:-1])[:, None] + rise).ravel().astype(np.float32)

    def figures(self) -> dict[str, float | None]:
        """local_snr: of all frames of speech, dB; None without any. left_alone: the share of the time."""
        snr = round(self._sum / self._spoken, 1) if self._spoken else None
        return {"local_snr": snr, "left_alone": round(1 - self._done / self._settled, 3) if self._settled else 0.0}

    def _target(self) -> float:
        """The share that the average asks for."""
        if self._weight < ENOUGH:
            return 1.0
        return min(max((CLEAN - self._average / self._weight) / (CLEAN - NOISY), 0.0), 1.0)
