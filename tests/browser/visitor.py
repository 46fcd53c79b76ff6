"""A person in front of a browser: what they do and see, in the page's own selectors."""

from playwright.sync_api import BrowserContext, Locator, Page, WebSocket, expect
from playwright.sync_api import TimeoutError as TooLate

RATED = "button.positive-feedback-off, button.positive-feedback-on"
"""Shown under each answer once its turn has ended."""
ATTEMPTS, REDRAWN = 5, 3_000
"""How often a message is typed, and the milliseconds in which its button must be ready for a click."""


class Visitor:
    """One tab, signed in or not."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.url = url
        self.page: Page = context.new_page()
        self.requests: list[str] = []
        self.frames: list[str] = []
        self._sockets: list[WebSocket] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("websocket", self._listen)
        self.page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)

    @property
    def answers(self) -> Locator:
        """Every answer or panel, oldest first; the welcome is not among them."""
        return self.page.locator('[data-step-type="assistant_message"]')

    @property
    def welcome(self) -> Locator:
        """The first message."""
        return self.page.locator('[data-step-type="system_message"]')

    @property
    def panel(self) -> Locator:
        """The passage in the side panel."""
        return self.page.locator("#side-view-content")

    def sign_in(self, name: str, password: str = "demo") -> "Visitor":
        """Through the sign-in page to the chat."""
        self.page.goto(f"{self.url}/login")
        self.page.fill("#email", name)
        self.page.fill("#password", password)
        self.page.click("button[type=submit]")
        expect(self.welcome).to_be_visible()
        return self

    def send(self, text: str) -> None:
        """Type and send, without waiting; type again where the page redrew its box under the words."""
        for _ in range(ATTEMPTS):
            try:
                self.page.locator("#chat-input").fill(text, timeout=REDRAWN)
                return self.page.locator("#chat-submit").click(timeout=REDRAWN)
            except TooLate:
                continue
        raise AssertionError(f"The page did not let {text!r} be sent.")

    def ask(self, text: str) -> Locator:
        """Send one message and wait for the end of its turn; what was shown last."""
        before = self.page.locator(RATED).count()
        self.send(text)
        expect(self.page.locator(RATED)).to_have_count(before + 1)
        return self.answers.last

    def come_in(self) -> "Visitor":
        """To the chat, where the browser is signed in already."""
        self.page.goto(self.url)
        expect(self.welcome).to_be_visible()
        return self

    def socket(self) -> WebSocket:
        """The page's socket."""
        return self._sockets[-1]

    def _listen(self, socket: WebSocket) -> None:
        self._sockets.append(socket)
        socket.on("framereceived", lambda frame: self.frames.append(str(frame)))
