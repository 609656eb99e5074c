from django.urls import path

from redemption.counter import doors

app_name = "counter"
urlpatterns = [
    path("", doors.page, name="page"),
    path("sign-in/", doors.sign_in, name="sign-in"),
    path("sign-out/", doors.sign_out, name="sign-out"),
    path("password/", doors.password, name="password"),
    path("look/", doors.look, name="look"),
    path("price/", doors.price, name="price"),
    path("take/", doors.take, name="take"),
    path("settle/", doors.settle, name="settle"),
    path("undo/", doors.undo, name="undo"),
    path("today/", doors.today, name="today"),
]
